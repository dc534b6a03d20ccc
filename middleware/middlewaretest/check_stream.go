package middlewaretest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// responseStreams: headers and chunks are the caller's as soon as they arrive. The upstream sends each one only
// when the caller has said, past the stage, that it has the one before; no clock is involved.
func responseStreams(tb testing.TB, e *env) {
	const chunks = 3
	var stream []Chunk
	var got []chan struct{}
	for range chunks {
		c := make(chan struct{})
		got = append(got, c)
		stream = append(stream, Chunk{Wait: c, Data: "0123456789"})
	}
	r := e.rig(tb, Always(Answer{Stream: Chunks(stream...)}))
	resp := r.must(r.request(r.context(), http.MethodGet, nil))
	defer resp.Body.Close()
	for i := range chunks {
		close(got[i]) // the headers, or the chunk before
		if err := readSome(resp.Body, 10, e.longer()); err != nil {
			tb.Fatalf("chunk %d of %d: %v, while the upstream waits with the next one", i+1, chunks, err)
		}
	}
	if rest, err := r.read(resp); err != nil || len(rest) > 0 {
		tb.Errorf("after the last chunk: %d bytes and %v, want the end", len(rest), err)
	}
}

// readSome reads until n bytes are there, with more room than that, so that a reader that waits until the room is full is found out.
func readSome(body io.Reader, n int, within time.Duration) error {
	done := make(chan error, 1)
	go func() {
		room := make([]byte, 4096)
		for got := 0; got < n; {
			m, err := body.Read(room)
			got += m
			if err != nil && got < n {
				done <- err
				return
			}
		}
		done <- nil
	}()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return errNothing
	}
}

// responseTrailer: trailers can be read after the body, announced or not.
func responseTrailer(tb testing.TB, e *env) {
	for _, unannounced := range []bool{false, true} {
		r := e.rig(tb, Always(Answer{
			Body:               pattern(1 << 10),
			Trailer:            http.Header{"X-Checksum": {"abc"}},
			TrailerUnannounced: unannounced,
		}))
		resp := r.must(r.request(r.context(), http.MethodGet, nil))
		if _, announced := resp.Trailer["X-Checksum"]; !announced && !unannounced {
			tb.Errorf("the trailer's announcement is lost")
		}
		r.wants(resp, pattern(1<<10))
		if got := resp.Trailer.Get("X-Checksum"); got != "abc" {
			tb.Errorf("the trailer (announced: %v) is %q after the body, want %q", !unannounced, got, "abc")
		}
	}
}

// contextUntilBodyEnd: a context that the stage derives lives until the body has been read. The second half of
// the body is sent when RoundTrip has returned.
func contextUntilBodyEnd(tb testing.TB, e *env) {
	returned := make(chan struct{})
	half := string(pattern(256 << 10))
	r := e.rig(tb, Always(Answer{Stream: Chunks(Chunk{Data: half}, Chunk{Wait: returned, Data: half})}))
	resp := r.must(r.request(r.context(), http.MethodGet, nil))
	close(returned)
	r.wants(resp, []byte(strings.Repeat(half, 2)))
}
