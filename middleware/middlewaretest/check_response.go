package middlewaretest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// responseXorError: RoundTrip returns a response or an error, never both and never neither.
func responseXorError(tb testing.TB, e *env) {
	one := func(path string, r *rig, out result) {
		if (out.resp == nil) == (out.err == nil) {
			tb.Errorf("%s: RoundTrip returned the response %v with the error %v, want exactly one of them", path, out.resp, out.err)
		}
		r.drop(out)
	}
	answers := map[string]Answer{
		"a success": normal(),
		"a 404":     Text(http.StatusNotFound, "no such thing"),
		"a 503":     Text(http.StatusServiceUnavailable, "server busy"),
		"a reset":   {Fault: Reset},
	}
	for path, answer := range answers {
		r := e.rig(tb, Always(answer))
		one(path, r, r.try(r.request(r.context(), http.MethodGet, nil)))
	}
	r := e.rig(tb, Always(normal()))
	one("a refused connection", r, r.outcome(start(e.stage(tb, refusedBase(tb)), r.request(r.context(), http.MethodGet, nil))))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	one("a cancelled context", r, r.try(r.request(ctx, http.MethodGet, nil)))
}

// responseBodyNotNil: every response has a body to read and close, empty if need be.
func responseBodyNotNil(tb testing.TB, e *env) {
	r := e.rig(tb, Handler(func(r *http.Request) Answer {
		var status int
		_, _ = fmt.Sscan(r.Header.Get("X-Status"), &status)
		return Answer{Status: status}
	}))
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		for _, status := range []int{200, 204, 304, 404} {
			req := r.request(r.context(), method, nil)
			req.Header.Set("X-Status", fmt.Sprint(status))
			out := r.try(req)
			if out.resp != nil && out.resp.Body == nil {
				tb.Errorf("%s answered by %d: the response's Body is nil", method, status)
			}
			r.drop(out)
		}
	}
}

// responseRequest: resp.Request is there, and is for what was asked. Redirects and cookies need it.
func responseRequest(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	req := r.request(r.context(), http.MethodGet, nil)
	resp := r.must(req)
	defer resp.Body.Close()
	switch {
	case resp.Request == nil:
		tb.Errorf("resp.Request is nil")
	case resp.Request.URL.String() != req.URL.String() || resp.Request.Method != req.Method:
		tb.Errorf("resp.Request is for %s %s, want %s %s", resp.Request.Method, resp.Request.URL, req.Method, req.URL)
	}
}

// responseBodies: bodies of every size arrive byte for byte, with a declared length and without.
func responseBodies(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	for _, size := range []int{0, 1 << 10, 1 << 20} {
		for _, chunked := range []bool{false, true} {
			data := pattern(size)
			r.answers(Answer{Body: data, Chunked: chunked})
			resp := r.must(r.request(r.context(), http.MethodGet, nil))
			if !chunked && resp.ContentLength != int64(size) {
				tb.Errorf("ContentLength is %d, want %d", resp.ContentLength, size)
			}
			r.wants(resp, data)
		}
	}
}

// responseCut: a body that breaks off gives its reader an error, and takes nothing with it.
func responseCut(tb testing.TB, e *env) {
	data := pattern(4096)
	r := e.rig(tb, Always(Answer{Body: data, Fault: CutBody, After: 1024}))
	for range rounds {
		resp := r.must(r.request(r.context(), http.MethodGet, nil))
		got, err := r.read(resp)
		if err == nil || err == io.EOF {
			tb.Fatalf("reading a body cut after 1024 of 4096 bytes: %d bytes and no error, want one such as io.ErrUnexpectedEOF", len(got))
		}
		if !bytes.HasPrefix(data, got) {
			tb.Fatalf("a body cut after 1024 of 4096 bytes began with %s, want %s", brief(got), brief(data))
		}
	}
	r.works(rounds)
}

// responseCloseTwice: a body may be closed early, closed again and read afterwards, and takes no slot with it.
func responseCloseTwice(tb testing.TB, e *env) {
	const size = 16 << 10
	r := e.rig(tb, Always(Answer{Body: pattern(size)}))
	read := func(amount int64) io.ReadCloser {
		resp := r.must(r.request(r.context(), http.MethodGet, nil))
		_, _ = io.CopyN(io.Discard, resp.Body, amount)
		_ = resp.Body.Close()
		return resp.Body
	}
	for _, amount := range []int64{0, 100, size + 1} {
		if problem := closedAgain(read(amount)); problem != "" {
			tb.Fatalf("after %d of %d bytes and Close: %s", min(amount, size), size, problem)
		}
	}
	// Without a Read afterwards, which would end what Close should have ended.
	for range rounds {
		read(0)
		read(100)
	}
	r.works(rounds)
}

// closedAgain closes a closed body and reads from it.
func closedAgain(body io.ReadCloser) (problem string) {
	defer func() {
		if p := recover(); p != nil {
			problem = fmt.Sprintf("a second Close, or Read after it, panicked: %v", p)
		}
	}()
	_ = body.Close()
	if n, err := body.Read(make([]byte, 100)); n > 0 || err == nil {
		return fmt.Sprintf("Read returned %d bytes and the error %v, want none and an error", n, err)
	}
	return ""
}
