package ratelimit_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// free is a rate that nobody reaches.
func free(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 1_000_000_000, 1_000_000_000 }

func BenchmarkRateLimit(b *testing.B) {
	stage := newStage(b, config(free))
	weighted := newStage(b, config(func(cfg *ratelimit.Config) {
		free(cfg)
		cfg.Units.Limit = 1_000_000_000
	}))
	base := middlewaretest.Instant(200)
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: base},
		middlewaretest.Row{Name: "alone", RT: stage.Wrap(base)},
		middlewaretest.Row{Name: "chain without", RT: middleware.Chain(base, middlewaretest.Settling)},
		middlewaretest.Row{Name: "chain with", RT: middleware.Chain(base, middlewaretest.Settling, stage.Wrap)},
		middlewaretest.Row{Name: "chain with units", RT: middleware.Chain(base, middlewaretest.Settling, weighted.Wrap)},
	)
}

func BenchmarkRefusal(b *testing.B) {
	rt := newStage(b, config(func(cfg *ratelimit.Config) { cfg.Per, cfg.Queue = 10*time.Hour, 0 })).Wrap(middlewaretest.Instant(200))
	req, _ := http.NewRequest("GET", "http://a/", nil)
	middlewaretest.Exchange(b, rt, req)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rt.RoundTrip(req); err == nil {
			b.Fatal("not refused")
		}
	}
}

// BenchmarkWaiting reports what a waiting request costs in memory: all that is
// in use beyond its goroutine and its request, the exchange included.
func BenchmarkWaiting(b *testing.B) {
	const n = 10_000
	var perWaiter, stack float64
	for b.Loop() {
		l := newStage(b, config(func(cfg *ratelimit.Config) { cfg.Per, cfg.MaxWait, cfg.Queue = 1000*time.Hour, 1e6*time.Hour, n }))
		rt := l.Wrap(middlewaretest.Instant(200))
		req, _ := http.NewRequest("GET", "http://a/", nil)
		middlewaretest.Exchange(b, rt, req)
		ctx, cancel := context.WithCancel(context.Background())
		reqs := make([]*http.Request, n)
		for i := range reqs {
			reqs[i] = req.WithContext(ctx)
		}
		before := memory()
		var calls sync.WaitGroup
		for _, req := range reqs {
			calls.Go(func() { _, _ = rt.RoundTrip(req) })
		}
		for l.Stats()[0].Waiting < n {
			runtime.Gosched()
		}
		after := memory()
		perWaiter = float64(after.HeapAlloc-before.HeapAlloc) / n
		stack = float64(after.StackInuse-before.StackInuse) / n
		cancel()
		calls.Wait()
	}
	b.ReportMetric(perWaiter, "heap-B/waiter")
	b.ReportMetric(stack, "stack-B/waiter")
}

func memory() (m runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
