package timeout_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/timeout"
)

var instant = middlewaretest.Instant(200)

// tracing also says that it has a connection.
var tracing = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		trace.GetConn("a:80")
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	return instant.RoundTrip(req)
})

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

func BenchmarkTimeout(b *testing.B) {
	wrap := func(limit time.Duration, until string) middleware.Middleware {
		return newStage(b, limit, until, nil).Wrap
	}
	total, attempt := wrap(time.Minute, timeout.UntilBody), wrap(10*time.Second, timeout.UntilHeaders)
	late, later := wrap(10*time.Hour, timeout.UntilBody), wrap(9*time.Hour, timeout.UntilHeaders)
	soon, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	chain := func(base http.RoundTripper, m ...middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, append([]middleware.Middleware{middlewaretest.Attempting, middlewaretest.Settling}, m...)...)
	}
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: instant},
		middlewaretest.Row{Name: "two of context.WithTimeout, by hand", RT: byHand(time.Minute)(byHand(10 * time.Second)(instant))},
		middlewaretest.Row{Name: "alone", RT: total(instant)},
		middlewaretest.Row{Name: "chain without", RT: chain(instant)},
		middlewaretest.Row{Name: "chain with attempt", RT: chain(instant, attempt)},
		middlewaretest.Row{Name: "chain with total and attempt", RT: middleware.Chain(instant, total, middlewaretest.Attempting, middlewaretest.Settling, attempt)},
		middlewaretest.Row{Name: "chain without, the caller's deadline is sooner", RT: chain(instant), Context: soon},
		middlewaretest.Row{Name: "chain with total and attempt, the caller's deadline is sooner", RT: middleware.Chain(instant, late, middlewaretest.Attempting, middlewaretest.Settling, later), Context: soon},
		middlewaretest.Row{Name: "chain without, a base that traces", RT: chain(tracing)},
		middlewaretest.Row{Name: "chain with connect, a base that traces", RT: chain(tracing, wrap(time.Second, timeout.UntilConnect))},
		middlewaretest.Row{Name: "chain with content", RT: chain(instant, wrap(time.Second, timeout.UntilContent))},
		middlewaretest.Row{Name: "chain with progress", RT: chain(instant, wrap(time.Second, timeout.UntilProgress))},
	)
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
		{"chain without", middleware.Chain(endless, middlewaretest.Attempting, middlewaretest.Settling)},
		{"chain with progress", middleware.Chain(endless, middlewaretest.Attempting, middlewaretest.Settling, newStage(b, time.Hour, timeout.UntilProgress, nil).Wrap)},
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
