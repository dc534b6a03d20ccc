package ratelimit_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// stub answers at once and, as net/http does, derives a context from the request's.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

func call(b *testing.B, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		b.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// through is a stage that settles and does nothing else: what a pipeline costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nothing{}, 0)
		return next.RoundTrip(inner)
	})
}

type nothing struct{}

func (nothing) Settle(uint64, middleware.End) {}

// free is a rate that nobody reaches.
func free(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 1_000_000_000, 1_000_000_000 }

func BenchmarkRateLimit(b *testing.B) {
	stage := newStage(b, config(free))
	weighted := newStage(b, config(func(cfg *ratelimit.Config) {
		free(cfg)
		cfg.Units.Limit = 1_000_000_000
	}))
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", stage.Wrap(stub)},
		{"chain without", middleware.Chain(stub, through)},
		{"chain with", middleware.Chain(stub, through, stage.Wrap)},
		{"chain with units", middleware.Chain(stub, through, weighted.Wrap)},
	} {
		b.Run(row.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			for b.Loop() {
				call(b, row.rt, req)
			}
		})
		b.Run(row.name+" contended", func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest("GET", "http://a/", nil)
				for pb.Next() {
					call(b, row.rt, req)
				}
			})
		})
	}
}

func BenchmarkRefusal(b *testing.B) {
	rt := newStage(b, config(func(cfg *ratelimit.Config) { cfg.Per, cfg.Queue = 10*time.Hour, 0 })).Wrap(stub)
	req, _ := http.NewRequest("GET", "http://a/", nil)
	call(b, rt, req)
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
		rt := l.Wrap(stub)
		req, _ := http.NewRequest("GET", "http://a/", nil)
		call(b, rt, req)
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
