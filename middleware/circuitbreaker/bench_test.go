package circuitbreaker_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func benchmarked(b *testing.B, change func(*circuitbreaker.Config)) middleware.Middleware {
	b.Helper()
	cfg := circuitbreaker.DefaultConfig()
	change(&cfg)
	s, err := circuitbreaker.New(cfg)
	require.NoError(b, err)
	return s.Wrap
}

func BenchmarkClosed(b *testing.B) {
	byTime := benchmarked(b, func(*circuitbreaker.Config) {})
	byCount := benchmarked(b, func(c *circuitbreaker.Config) { c.WindowCalls = 100 })
	slow := benchmarked(b, func(c *circuitbreaker.Config) { c.SlowCall = time.Minute })
	base := middlewaretest.Instant(200)
	chain := func(m ...middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, append([]middleware.Middleware{middlewaretest.Attempting, middlewaretest.Settling}, m...)...)
	}
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: base},
		middlewaretest.Row{Name: "alone", RT: byTime(base)},
		middlewaretest.Row{Name: "chain without", RT: chain()},
		middlewaretest.Row{Name: "chain", RT: chain(byTime)},
		middlewaretest.Row{Name: "chain, window of calls", RT: chain(byCount)},
		middlewaretest.Row{Name: "chain, slow calls", RT: chain(slow)},
	)
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
