package timeout_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// stub answers at once and, as net/http does, derives a context from the request's.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

// tracing also says that it has a connection.
var tracing = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.GetConn("a:80")
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	return stub(req)
})

// through is a stage that settles and does nothing else, attempting one that
// makes an attempt: what a pipeline costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nothing{}, 0)
		return next.RoundTrip(inner)
	})
}

// byHand is a timeout as one writes it without a stage, which ends with the headers.
func byHand(limit time.Duration) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithTimeout(req.Context(), limit)
			defer cancel()
			return next.RoundTrip(req.WithContext(ctx))
		})
	}
}

func attempting(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, req := middleware.Join(req)
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	})
}

type nothing struct{}

func (nothing) Settle(uint64, middleware.End) {}

func BenchmarkTimeout(b *testing.B) {
	wrap := func(limit time.Duration, until string) middleware.Middleware {
		return newStage(b, limit, until, nil).Wrap
	}
	total, attempt := wrap(time.Minute, timeout.UntilBody), wrap(10*time.Second, timeout.UntilHeaders)
	late, later := wrap(10*time.Hour, timeout.UntilBody), wrap(9*time.Hour, timeout.UntilHeaders)
	soon, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	for _, row := range []struct {
		name string
		ctx  context.Context
		rt   http.RoundTripper
	}{
		{"base", context.Background(), stub},
		{"two of context.WithTimeout, by hand", context.Background(), byHand(time.Minute)(byHand(10 * time.Second)(stub))},
		{"alone", context.Background(), total(stub)},
		{"chain without", context.Background(), middleware.Chain(stub, attempting, through)},
		{"chain with total and attempt", context.Background(), middleware.Chain(stub, total, attempting, through, attempt)},
		{"chain without, the caller's deadline is sooner", soon, middleware.Chain(stub, attempting, through)},
		{"chain with total and attempt, the caller's deadline is sooner", soon, middleware.Chain(stub, late, attempting, through, later)},
		{"chain without, a base that traces", context.Background(), middleware.Chain(tracing, attempting, through)},
		{"chain with connect, a base that traces", context.Background(), middleware.Chain(tracing, attempting, through, wrap(time.Second, timeout.UntilConnect))},
		{"chain with content", context.Background(), middleware.Chain(stub, attempting, through, wrap(time.Second, timeout.UntilContent))},
		{"chain with progress", context.Background(), middleware.Chain(stub, attempting, through, wrap(time.Second, timeout.UntilProgress))},
	} {
		b.Run(row.name, func(b *testing.B) { run(b, row.ctx, row.rt) })
	}
}

func run(b *testing.B, ctx context.Context, rt http.RoundTripper) {
	req, _ := http.NewRequestWithContext(ctx, "GET", "http://a/", nil)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// BenchmarkRead is what a Read of an open body costs.
func BenchmarkRead(b *testing.B) {
	endless := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, cancel := context.WithCancel(req.Context())
		b.Cleanup(cancel)
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(zeros{}), Request: req}, nil
	})
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", endless},
		{"chain without", middleware.Chain(endless, attempting, through)},
		{"chain with progress", middleware.Chain(endless, attempting, through, newStage(b, time.Hour, timeout.UntilProgress, nil).Wrap)},
	} {
		b.Run(row.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			resp, err := row.rt.RoundTrip(req)
			if err != nil {
				b.Fatal(err)
			}
			defer resp.Body.Close()
			token := make([]byte, 64)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := resp.Body.Read(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
