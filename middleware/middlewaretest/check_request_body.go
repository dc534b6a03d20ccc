package middlewaretest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// digest answers with length and hash of the request's body.
func digest() Script {
	return Handler(func(r *http.Request) Answer {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return Text(http.StatusBadRequest, "the body broke off")
		}
		return Text(http.StatusOK, digestOf(data))
	})
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%d %s", len(data), hex.EncodeToString(sum[:]))
}

// requestBodies: bodies of every size and kind arrive byte for byte.
func requestBodies(tb testing.TB, e *env) {
	r := e.rig(tb, digest())
	for _, size := range []int{0, 1 << 10, 1 << 20} {
		data := pattern(size)
		for _, kind := range []string{"replayable", "once", "unknown length"} {
			req := r.request(r.context(), http.MethodPost, bytes.NewReader(data))
			switch kind {
			case "once":
				req.GetBody = nil
			case "unknown length":
				req.GetBody = nil
				req.Body = io.NopCloser(bytes.NewReader(data))
				req.ContentLength = -1
			}
			resp := r.must(req)
			got, err := r.read(resp)
			if err != nil || string(got) != digestOf(data) {
				tb.Errorf("a body of %d bytes (%s): the upstream got %s, %v, want %s", size, kind, got, err, digestOf(data))
			}
		}
	}
}

// requestBodyClosed: the body is closed, whatever becomes of the request, and so is each that GetBody gave.
func requestBodyClosed(tb testing.TB, e *env) {
	soon := 20 * time.Millisecond
	paths := []struct {
		name   string
		answer Answer
		size   int
		refuse bool           // the connection
		limit  *time.Duration // of the context, from the call on
		rare   bool           // takes net/http's server half a second, so once is enough
	}{
		{name: "a success", answer: normal(), size: 1 << 10},
		{name: "a 503", answer: Text(http.StatusServiceUnavailable, "server busy"), size: 1 << 10},
		{name: "an early answer", answer: Answer{Status: http.StatusRequestEntityTooLarge, IgnoreBody: true}, size: 1 << 20, rare: true},
		{name: "a reset", answer: Answer{Fault: Reset}, size: 1 << 10},
		{name: "a refused connection", size: 1 << 10, refuse: true},
		{name: "a deadline before the call", size: 1 << 10, limit: new(time.Duration)},
		{name: "a deadline in the call", answer: Answer{Fault: HangHeaders}, size: 1 << 10, limit: &soon},
	}
	r := e.rig(tb, Always(normal()))
	for _, p := range paths {
		for _, replayable := range []bool{false, true} {
			if p.rare && (replayable || e.chain) {
				continue
			}
			r.answers(p.answer)
			rt, ctx := r.rt, r.context()
			if p.refuse {
				rt = e.stage(tb, refusedBase(tb))
			}
			if p.limit != nil {
				limited, cancel := context.WithTimeout(ctx, *p.limit)
				defer cancel()
				ctx = limited
			}
			spies := newSpyBodies(pattern(p.size))
			out := r.outcome(start(rt, spies.on(r.request(ctx, http.MethodPost, nil), replayable)))
			if out.resp != nil && out.resp.Body != nil {
				_, _ = r.read(out.resp)
			}
			spies.mustBeClosed(tb, fmt.Sprintf("after %s (with GetBody: %v)", p.name, replayable), e.patience)
		}
	}
}

// requestStreams: each piece of a body of unknown length reaches the upstream before the next one is written.
func requestStreams(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	out, in := io.Pipe()
	defer in.Close() // lets go of a stage that still reads when the check has failed
	ctx := r.context()
	done := start(r.rt, r.request(ctx, http.MethodPost, out))
	const pieces = 3
	written := make(chan int, pieces)
	arrived := make(chan struct{})
	go func() {
		defer in.Close()
		for i := range pieces {
			if _, err := in.Write(pattern(100)); err != nil {
				return
			}
			written <- (i + 1) * 100
			select {
			case <-arrived:
			case <-ctx.Done():
				return
			}
		}
	}()
	for i := range pieces {
		var want int
		select {
		case want = <-written:
		case <-ctx.Done():
			tb.Fatalf("the request's body was not read beyond %d bytes", i*100)
		}
		if err := r.up.Await(ctx, func(s Stats) bool { return s.BodyBytes >= int64(want) }); err != nil {
			tb.Fatalf("the upstream got %d bytes of the request's body, want %d before more is written", r.up.Stats().BodyBytes, want)
		}
		arrived <- struct{}{}
	}
	r.wants(r.answered(r.outcome(done)), normal().Body)
}

// requestTrailer: a trailer that the caller sets while the body is read is sent.
func requestTrailer(tb testing.TB, e *env) {
	r := e.rig(tb, Handler(func(r *http.Request) Answer {
		_, _ = io.Copy(io.Discard, r.Body)
		return Text(http.StatusOK, "trailer: "+r.Trailer.Get("X-Checksum"))
	}))
	req := r.request(r.context(), http.MethodPost, nil)
	req.Trailer = http.Header{"X-Checksum": nil}
	req.ContentLength = -1
	req.Body = &trailing{inner: bytes.NewReader(pattern(1 << 10)), atEnd: func() { req.Trailer.Set("X-Checksum", "abc") }}
	r.wants(r.must(req), []byte("trailer: abc"))
}

// trailing is a body that calls atEnd before it reports its end.
// It hides the reader's WriteTo, with which nobody would ask for its end.
type trailing struct {
	inner io.Reader
	atEnd func()
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.inner.Read(p)
	if err == io.EOF {
		t.atEnd()
	}
	return n, err
}

func (t *trailing) Close() error { return nil }
