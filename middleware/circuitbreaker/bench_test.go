package circuitbreaker_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// stub answers at once and, as net/http does, derives a context from the
// request's: a lazy context would else hide its cost.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

// marker registers for the end as most stages do, so that the chain without the
// breaker watches the body, too.
func marker(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nothing{}, 0)
		return next.RoundTrip(inner)
	})
}

// attempting gives each call an attempt, as retry does.
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

func benchmarked(b *testing.B, change func(*circuitbreaker.Config)) middleware.Middleware {
	b.Helper()
	cfg := circuitbreaker.DefaultConfig()
	change(&cfg)
	s, err := circuitbreaker.New(cfg)
	require.NoError(b, err)
	return s.Wrap
}

func call(b *testing.B, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

func BenchmarkClosed(b *testing.B) {
	byTime := benchmarked(b, func(*circuitbreaker.Config) {})
	byCount := benchmarked(b, func(c *circuitbreaker.Config) { c.WindowCalls = 100 })
	slow := benchmarked(b, func(c *circuitbreaker.Config) { c.SlowCall = time.Minute })
	for _, bench := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", byTime(stub)},
		{"chain without", middleware.Chain(stub, attempting, marker)},
		{"chain", middleware.Chain(stub, attempting, marker, byTime)},
		{"chain, window of calls", middleware.Chain(stub, attempting, marker, byCount)},
		{"chain, slow calls", middleware.Chain(stub, attempting, marker, slow)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://api.example.com/", nil)
			b.ReportAllocs()
			for b.Loop() {
				call(b, bench.rt, req)
			}
		})
		b.Run(bench.name+", contended", func(b *testing.B) {
			b.SetParallelism(32) // 64 goroutines on 2 cores
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest("GET", "http://api.example.com/", nil)
				for pb.Next() {
					call(b, bench.rt, req)
				}
			})
		})
	}
}

// BenchmarkOpen measures a refusal.
func BenchmarkOpen(b *testing.B) {
	cfg := circuitbreaker.DefaultConfig()
	cfg.ConsecutiveFailures, cfg.OpenFor, cfg.MaxOpenFor = 1, time.Hour, time.Hour
	s, err := circuitbreaker.New(cfg)
	require.NoError(b, err)
	rt := s.Wrap(middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }))
	req, _ := http.NewRequest("GET", "http://api.example.com/", nil)
	_, err = rt.RoundTrip(req)
	require.ErrorIs(b, err, io.ErrUnexpectedEOF)
	b.Run("serial", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = rt.RoundTrip(req)
		}
	})
	b.Run("contended", func(b *testing.B) {
		b.SetParallelism(32)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				_, _ = rt.RoundTrip(req)
			}
		})
	})
	_, err = rt.RoundTrip(req)
	require.ErrorIs(b, err, circuitbreaker.ErrOpen)
}
