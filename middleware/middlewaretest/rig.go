package middlewaretest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// errPatience ends the requests of a check that fails.
var errPatience = errors.New("the check has lost its patience")

// rig is an upstream with the stage in front of it.
type rig struct {
	testing.TB
	*env
	up    *Upstream
	base  *http.Transport
	rt    http.RoundTripper
	paths atomic.Int64

	mu      sync.Mutex
	timers  []*time.Timer // that end the contexts
	cancels []context.CancelCauseFunc
}

// rig starts an upstream and puts a fresh stage before a plain transport; tap may put something between the two.
func (e *env) rig(tb testing.TB, script Script, tap ...middleware.Middleware) *rig {
	tb.Helper()
	r := &rig{TB: tb, env: e}
	r.up = New(tb, e.dressed(script), func(c *Config) { c.TLS, c.HTTP2 = e.http2, e.http2 })
	r.base = r.up.Transport()
	tb.Cleanup(r.close) // after the stage's own cleanup, before the upstream's
	var base http.RoundTripper = r.base
	for _, t := range tap {
		base = t(base)
	}
	r.rt = e.stage(tb, base)
	return r
}

// dressed gives every answer of the script the headers that all answers have.
func (e *env) dressed(script Script) Script {
	return func(n int, r *http.Request) Answer { return e.answer(script(n, r)) }
}

// stage puts a fresh stage before base.
func (e *env) stage(tb testing.TB, base http.RoundTripper) http.RoundTripper {
	tb.Helper()
	m := e.factory(tb)
	if m == nil {
		tb.Fatalf("the factory made no stage")
	}
	if e.chain {
		return middleware.Chain(base, m)
	}
	return m(base)
}

// answers gives all requests from now on one answer.
func (r *rig) answers(a Answer) { r.up.SetScript(r.dressed(Always(a))) }

// noConnections sees that no connection is in use any more, as one with an open body would be.
func (r *rig) noConnections() {
	if _, skip := r.without[nothingLeft]; skip || r.Failed() {
		return
	}
	if !r.closesIdle(r.base.CloseIdleConnections) {
		r.Errorf("%d connections are in use after the check: a response body was not closed", r.up.Stats().OpenConnections)
	}
}

// closesIdle reports whether closing the idle connections closes all. It closes again and again, since a
// connection becomes idle a moment after its response is over.
func (r *rig) closesIdle(closeIdle func()) bool {
	until := time.Now().Add(r.patience)
	for {
		closeIdle()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		err := r.up.Await(ctx, func(s Stats) bool { return s.OpenConnections == 0 })
		cancel()
		if err == nil {
			return true
		}
		if time.Now().After(until) {
			return false
		}
	}
}

// context ends when the check has lost its patience, or with the check. It has no deadline that a stage could see.
func (r *rig) context() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timers = append(r.timers, time.AfterFunc(r.patience, func() { cancel(errPatience) }))
	r.cancels = append(r.cancels, cancel)
	return ctx
}

// close ends the contexts, after it has seen that the connections are free without that.
func (r *rig) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.timers {
		t.Stop()
	}
	r.noConnections()
	for _, cancel := range r.cancels {
		cancel(nil)
	}
}

// longer is a moment more than the requests have, so that it is their own error that is reported.
func (e *env) longer() time.Duration { return e.patience + e.patience/4 }

// request makes a request to a path of its own, so that a cache has no answer for it.
func (r *rig) request(ctx context.Context, method string, body io.Reader) *http.Request {
	r.Helper()
	url := fmt.Sprintf("%s/check/%d", r.up.URL, r.paths.Add(1))
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		r.Fatalf("no request: %v", err)
	}
	return req
}
