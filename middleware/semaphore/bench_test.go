package semaphore_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
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

// attempting sends one attempt, as retry does: it is there that a semaphore stands.
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

func BenchmarkSemaphore(b *testing.B) {
	cfg := unbounded()
	stage, err := semaphore.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	cfg.Limit, cfg.MaxConcurrent = semaphore.LimitFixed, 32
	fixed, err := semaphore.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", stage.Wrap(stub)},
		{"chain without", middleware.Chain(stub, attempting, through)},
		{"chain with", middleware.Chain(stub, attempting, through, stage.Wrap)},
		{"chain with a fixed limit", middleware.Chain(stub, attempting, through, fixed.Wrap)},
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
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest("GET", "http://a/", nil)
				for pb.Next() {
					call(b, row.rt, req)
				}
			})
		})
	}
}
