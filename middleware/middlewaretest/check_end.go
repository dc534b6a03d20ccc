package middlewaretest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

var (
	errNothing = errors.New("nothing came")
	errBelow   = errors.New("an error of the base")
)

// panics: a panic below goes on up with its value, in the caller's goroutine, and leaves no slot taken.
func panics(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	value := &struct{ text string }{"a panic of the base"}
	base := newSwap(middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { panic(value) }))
	r.rt = e.stage(tb, base)
	for range rounds {
		out := r.outcome(start(r.rt, r.request(r.context(), http.MethodGet, nil)))
		if out.panicked != value {
			r.drop(out)
			tb.Fatalf("RoundTrip panicked with %v, want the value that the base panicked with", out.panicked)
		}
	}
	base.set(r.base)
	r.works(rounds)
}

// cancel: calls that their caller cancels end with context.Canceled and count for nothing.
func cancel(tb testing.TB, e *env) {
	arrived := make(chan struct{}, 1)
	r := e.rig(tb, Handler(func(*http.Request) Answer {
		select {
		case arrived <- struct{}{}:
		default:
		}
		return Answer{Fault: HangHeaders}
	}))
	for i := range 100 {
		ctx, cancel := context.WithCancel(r.context())
		if i == 0 {
			cancel() // before the call
		}
		done := start(r.rt, r.request(ctx, http.MethodGet, nil))
		if i > 0 {
			select {
			case <-arrived:
			case out := <-done:
				cancel()
				r.drop(out)
				tb.Fatalf("cancelled call %d ended before it was cancelled: %v", i, out.err)
			}
		}
		cancel()
		out := r.outcome(done)
		if !errors.Is(out.err, context.Canceled) {
			r.drop(out)
			tb.Fatalf("cancelled call %d: error %v, want context.Canceled in it", i, out.err)
		}
	}
	r.works(rounds)
}

// deadline: a call that its deadline ends says so, to errors.Is and to http.Client's Timeout().
func deadline(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Fault: HangHeaders}))
	short := func() *http.Request {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		tb.Cleanup(cancel)
		return r.request(ctx, http.MethodGet, nil)
	}
	out := r.try(short())
	r.drop(out)
	if !errors.Is(out.err, context.DeadlineExceeded) {
		tb.Errorf("error %v, want context.DeadlineExceeded in it", out.err)
	}
	client := &http.Client{Transport: r.rt}
	resp, err := client.Do(short())
	if resp != nil {
		_ = resp.Body.Close()
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		tb.Errorf("through http.Client: error %v with Timeout() false, want true", err)
	}
	r.works(rounds)
}

// abandonedBody: the end of the request's context ends a response whose body the caller forgot.
func abandonedBody(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Answer{Body: pattern(64 << 10), Fault: HangBody, After: 1024}))
	for range rounds {
		ctx, cancel := context.WithCancel(r.context())
		r.must(r.request(ctx, http.MethodGet, nil))
		cancel()
	}
	// What ends with a context ends a moment later.
	r.answers(normal())
	until := time.Now().Add(e.patience)
	for {
		out := r.try(r.request(r.context(), http.MethodGet, nil))
		r.drop(out)
		if out.err == nil {
			break
		}
		if time.Now().After(until) {
			tb.Fatalf("after %d abandoned bodies: %v", rounds, out.err)
		}
	}
	r.works(rounds)
}

// errorUnwraps: the base's error is found in the stage's, because stages further up decide by it.
func errorUnwraps(tb testing.TB, e *env) {
	r := e.rig(tb, Always(normal()))
	out := r.outcome(start(e.stage(tb, failing(errBelow)), r.request(r.context(), http.MethodGet, nil)))
	r.drop(out)
	if !errors.Is(out.err, errBelow) {
		tb.Errorf("error %v, want the base's in it", out.err)
	}
}

// secret stands where secrets stand in a request.
const secret = "s3cr3t"

// withSecrets makes a request whose headers, query and body no error may show.
func (r *rig) withSecrets(spies *spyBodies) *http.Request {
	req := spies.on(r.request(r.context(), http.MethodPost, nil), true)
	req.URL.RawQuery = "key=" + secret
	req.Header.Set("Authorization", "Bearer "+secret)
	req.Header.Set("Cookie", "session="+secret)
	return req
}

// errorWithoutSecrets: no error shows header values, query values or bodies.
func errorWithoutSecrets(tb testing.TB, e *env) {
	r := e.rig(tb, Always(Text(http.StatusServiceUnavailable, secret)))
	bases := map[string]http.RoundTripper{
		"a busy answer":        r.base,
		"a refused connection": refusedBase(tb),
		"an error of the base": failing(errBelow),
	}
	for path, base := range bases {
		out := r.outcome(start(e.stage(tb, base), r.withSecrets(newSpyBodies([]byte(secret)))))
		r.drop(out)
		if out.err != nil && strings.Contains(fmt.Sprintf("%v %+v", out.err, out.err), secret) {
			tb.Errorf("after %s the error shows what the request keeps secret: %v", path, out.err)
		}
	}
}

// refusal: a call that the stage refuses has its body closed, its error says so, and the upstream hears nothing.
func refusal(tb testing.TB, e *env) {
	refusing := *e
	refusing.factory = e.refusing
	r := refusing.rig(tb, Always(normal()))
	for range 3 {
		spies := newSpyBodies([]byte(secret))
		out := r.try(r.withSecrets(spies))
		r.drop(out)
		switch {
		case out.resp != nil || out.err == nil:
			tb.Errorf("a refused call returned the response %v with the error %v, want an error alone", out.resp, out.err)
		case !errors.Is(out.err, middleware.ErrRejected):
			tb.Errorf("a refused call's error is %v, want middleware.ErrRejected in it", out.err)
		case strings.Contains(fmt.Sprintf("%v %+v", out.err, out.err), secret):
			tb.Errorf("the refusal shows what the request keeps secret: %v", out.err)
		}
		spies.mustBeClosed(tb, "after a refusal", e.patience)
	}
	if n := r.up.Stats().Requests; n > 0 {
		tb.Errorf("the upstream saw %d of the refused requests", n)
	}
}

// leavesNothing sends traffic that ends in every way; what it leaves is looked for after each check.
func leavesNothing(tb testing.TB, e *env) {
	busy := Text(http.StatusServiceUnavailable, strings.Repeat("server busy ", 10000))
	cut := Answer{Body: pattern(4096), Fault: CutBody, After: 100}
	r := e.rig(tb, Sequence(normal(), busy, normal(), busy, busy, normal(), cut, Answer{Fault: Reset}, Answer{Body: pattern(1 << 20)}))
	for i := range 12 {
		out := r.try(r.request(r.context(), http.MethodGet, nil))
		if out.resp != nil && i%2 == 0 {
			_, _ = io.Copy(io.Discard, out.resp.Body)
		}
		r.drop(out)
	}
	r.answers(Answer{Fault: HangHeaders})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	r.drop(r.try(r.request(ctx, http.MethodGet, nil)))
}
