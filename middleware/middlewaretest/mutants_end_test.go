package middlewaretest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

// failureMutant makes a stage that does something to each error.
func failureMutant(f func(*http.Request, error) error) middleware.Middleware {
	return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, f(req, err)
		}
		return resp, nil
	})
}

func endMutants() []mutant {
	return []mutant{
		{name: "forgets the slot of a panic", check: "panic", says: "no slot is free", hangs: true,
			make: lease(func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				release()
				return resp, err
			})},
		{name: "makes an error of a panic", check: "panic", says: "panicked with <nil>",
			stage: trip(func(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
				defer func() {
					if p := recover(); p != nil {
						err = fmt.Errorf("panic: %v", p)
					}
				}()
				return next.RoundTrip(req)
			})},
		{name: "panics with a value of its own", check: "panic", says: "panicked with wrapped",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				defer func() {
					if p := recover(); p != nil {
						panic("wrapped")
					}
				}()
				return next.RoundTrip(req)
			})},
		{name: "forgets the slot of a cancelled call", check: "cancel", says: "no slot is free|ended before", hangs: true,
			make: lease(func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil || !errors.Is(err, context.Canceled) {
					release()
				}
				return resp, err
			})},
		{name: "opens after six cancels", check: "cancel", says: "broken", http2: true, make: opensAfter(6)},
		{name: "loses the cause of a cancel", check: "cancel", says: "want context.Canceled",
			stage: failureMutant(func(_ *http.Request, err error) error { return errBroken })},
		{name: "says in words that the deadline has passed", check: "deadline", says: "want context.DeadlineExceeded",
			stage: failureMutant(func(_ *http.Request, err error) error { return fmt.Errorf("stage: %v", err) })},
		{name: "hides Timeout from http.Client", check: "deadline", says: `Timeout\(\) false`, http2: true,
			stage: failureMutant(func(_ *http.Request, err error) error { return fmt.Errorf("stage: %w", err) })},
		{name: "counts on Close", check: "abandoned_body", says: "no slot is free", hangs: true,
			make: lease(func(release func(), req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err != nil {
					release()
					return nil, err
				}
				resp.Body = &hooked{ReadCloser: resp.Body, closing: sync.OnceFunc(release)}
				return resp, nil
			})},
		{name: "says in words what went wrong", check: "error_unwraps", says: "want the base's",
			stage: failureMutant(func(_ *http.Request, err error) error { return fmt.Errorf("stage: %v", err) })},
		{name: "shows the URL with its query", check: "error_without_secrets", says: "keeps secret",
			stage: failureMutant(func(req *http.Request, err error) error { return fmt.Errorf("%s: %w", req.URL, err) })},
		{name: "refuses and leaves the body open", check: "refusal", says: "0 of 1 request bodies", hangs: true,
			stage: trip(func(*http.Request, http.RoundTripper) (*http.Response, error) {
				return nil, middleware.ErrRejected
			})},
		{name: "refuses with an error of its own", check: "refusal", says: "want middleware.ErrRejected",
			stage: trip(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				middleware.CloseBody(req)
				return nil, errBroken
			})},
		{name: "refuses after it has sent", check: "refusal", says: "the upstream saw 3",
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if resp, err := next.RoundTrip(req); err == nil {
					_ = resp.Body.Close()
				}
				return nil, middleware.ErrRejected
			})},
		{name: "shows the header that it refuses", check: "refusal", says: "keeps secret",
			stage: trip(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				middleware.CloseBody(req)
				return nil, fmt.Errorf("%w: %v", middleware.ErrRejected, req.Header)
			})},
		{name: "tries again over an open response", check: "nothing_left", says: "connections are in use", hangs: true,
			stage: trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil && resp.StatusCode == http.StatusServiceUnavailable {
					return next.RoundTrip(req)
				}
				return resp, err
			})},
		{name: "starts a goroutine that nobody stops", check: "nothing_left", says: "goroutines are left", http2: true, hangs: true,
			make: leavesAGoroutine},
	}
}

// opensAfter makes a breaker that counts every error.
func opensAfter(limit int) func(testing.TB) middleware.Middleware {
	return func(testing.TB) middleware.Middleware {
		var mu sync.Mutex
		failures := 0
		return trip(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			mu.Lock()
			open := failures >= limit
			mu.Unlock()
			if open {
				middleware.CloseBody(req)
				return nil, errBroken
			}
			resp, err := next.RoundTrip(req)
			if err != nil {
				mu.Lock()
				failures++
				mu.Unlock()
			}
			return resp, err
		})
	}
}

// leavesAGoroutine starts one that ends when the test that runs the check ends.
func leavesAGoroutine(tb testing.TB) middleware.Middleware {
	stop := make(chan struct{})
	tb.(*fakeTB).TB.Cleanup(func() { close(stop) })
	go func() { <-stop }()
	return func(next http.RoundTripper) http.RoundTripper { return next }
}
