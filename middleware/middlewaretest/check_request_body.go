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
	for _, replayable := range []bool{false, true} {
		send := func(path string, size int, script Script, base func(*rig) http.RoundTripper, ctx func(*rig) context.Context) {
			r := e.rig(tb, script)
			rt := r.rt
			if base != nil {
				rt = e.stage(tb, base(r))
			}
			if ctx == nil {
				ctx = (*rig).context
			}
			spies := newSpyBodies(pattern(size))
			req := spies.on(r.request(ctx(r), http.MethodPost, nil), replayable)
			out := r.outcome(start(rt, req))
			if out.resp != nil && out.resp.Body != nil {
				_, _ = r.read(out.resp)
			}
			spies.mustBeClosed(tb, fmt.Sprintf("%s (with GetBody: %v)", path, replayable), e.patience)
		}
		refused := func(*rig) http.RoundTripper { return refusedBase(tb) }
		canceled := func(*rig) context.Context {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return ctx
		}
		soon := func(*rig) context.Context {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			tb.Cleanup(cancel)
			return ctx
		}
		send("after a success", 1<<10, Always(normal), nil, nil)
		send("after a 503", 1<<10, Always(Text(http.StatusServiceUnavailable, "server busy")), nil, nil)
		if !replayable && !e.chain {
			// Once is enough: net/http's server takes half a second to close a connection with an unread body.
			send("after an early answer", 1<<20, Always(Answer{Status: http.StatusRequestEntityTooLarge, IgnoreBody: true}), nil, nil)
		}
		send("after a reset", 1<<10, Always(Answer{Fault: Reset}), nil, nil)
		send("after a refused connection", 1<<10, Always(normal), refused, nil)
		send("after a cancel before the call", 1<<10, Always(normal), nil, canceled)
		send("after a deadline in the call", 1<<10, Always(Answer{Fault: HangHeaders}), nil, soon)
	}
}

// requestStreams: each piece of a body of unknown length reaches the upstream before the next one is written.
func requestStreams(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal))
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
	r.wants(r.answered(r.outcome(done)), normal.Body)
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
