package middlewaretest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// result is what RoundTrip came to.
type result struct {
	resp     *http.Response
	err      error
	panicked any
}

// start runs RoundTrip in a goroutine, so that a stage that blocks fails its check and not the whole test.
func start(rt http.RoundTripper, req *http.Request) <-chan result {
	done := make(chan result, 1)
	go func() {
		var out result
		defer func() {
			out.panicked = recover()
			done <- out
		}()
		out.resp, out.err = rt.RoundTrip(req)
	}()
	return done
}

// outcome waits for what start has started.
func (r *rig) outcome(done <-chan result) result {
	r.Helper()
	timer := time.NewTimer(r.longer())
	defer timer.Stop()
	select {
	case out := <-done:
		return out
	case <-timer.C:
		r.Fatalf("RoundTrip did not return within %v", r.patience)
		panic("unreachable")
	}
}

// try sends a request.
func (r *rig) try(req *http.Request) result {
	r.Helper()
	out := r.outcome(start(r.rt, req))
	if out.panicked != nil {
		r.Fatalf("RoundTrip panicked: %v", out.panicked)
	}
	return out
}

// must sends a request and returns its response.
func (r *rig) must(req *http.Request) *http.Response {
	r.Helper()
	return r.answered(r.try(req))
}

// answered fails the check unless there is a response with a body.
func (r *rig) answered(out result) *http.Response {
	r.Helper()
	switch {
	case out.panicked != nil:
		r.Fatalf("RoundTrip panicked: %v", out.panicked)
	case out.err != nil:
		r.Fatalf("RoundTrip: %v, want a response", out.err)
	case out.resp == nil:
		r.Fatalf("RoundTrip returned neither a response nor an error")
	case out.resp.Body == nil:
		r.Fatalf("the response has a nil Body")
	}
	return out.resp
}

// read reads a response's body to its end and closes it.
func (r *rig) read(resp *http.Response) ([]byte, error) {
	r.Helper()
	type readout struct {
		data []byte
		err  error
	}
	done := make(chan readout, 1)
	go func() {
		data, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		done <- readout{data, err}
	}()
	timer := time.NewTimer(r.longer())
	defer timer.Stop()
	select {
	case out := <-done:
		return out.data, out.err
	case <-timer.C:
		r.Fatalf("the body did not end within %v", r.patience)
		panic("unreachable")
	}
}

// wants reads the response's body and compares it.
func (r *rig) wants(resp *http.Response, want []byte) {
	r.Helper()
	got, err := r.read(resp)
	if err != nil {
		r.Fatalf("reading the body: %v after %d bytes, want %d bytes", err, len(got), len(want))
	}
	if !bytes.Equal(got, want) {
		r.Fatalf("the body is %s, want %s", brief(got), brief(want))
	}
}

// drop gets rid of what a call came to.
func (r *rig) drop(out result) {
	if out.resp != nil && out.resp.Body != nil {
		_ = out.resp.Body.Close()
	}
}

// normal is what an upstream answers that has nothing special.
func normal() Answer { return Text(http.StatusOK, "all is well") }

// works sees that n ordinary calls in a row succeed: no slot is taken, no breaker open.
func (r *rig) works(n int) {
	r.Helper()
	r.answers(normal())
	for i := range n {
		out := r.try(r.request(r.context(), http.MethodGet, nil))
		if out.err != nil {
			r.Fatalf("ordinary call %d of %d afterwards: %v", i+1, n, out.err)
		}
		resp := r.answered(out)
		if resp.StatusCode != http.StatusOK {
			r.drop(out)
			r.Fatalf("ordinary call %d of %d afterwards: status %d", i+1, n, resp.StatusCode)
		}
		r.wants(resp, normal().Body)
	}
}

// brief shows the beginning of a body.
func brief(p []byte) string {
	const most = 40
	if len(p) <= most {
		return fmt.Sprintf("%q (%d bytes)", p, len(p))
	}
	return fmt.Sprintf("%q... (%d bytes)", p[:most], len(p))
}
