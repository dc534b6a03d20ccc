package hedge_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

// stub answers at once and, as net/http does, derives a context from the request's.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

// through does nothing: what a chain costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, next.RoundTrip)
}

// attempting makes one attempt, as retry does.
func attempting(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, req := middleware.Join(req)
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	})
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

func BenchmarkHedge(b *testing.B) {
	// Of an upstream that answers within nanoseconds the percentile is no time at all.
	stage := newStage(b, config(func(c *hedge.Config) { c.Delay = time.Minute }))
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", stage.Wrap(stub)},
		{"chain without", middleware.Chain(stub, through)},
		{"chain with", middleware.Chain(stub, through, stage.Wrap)},
		{"inside retry without", middleware.Chain(stub, attempting, through)},
		{"inside retry with", middleware.Chain(stub, attempting, stage.Wrap)},
	} {
		b.Run(row.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			for b.Loop() {
				call(b, row.rt, req)
			}
		})
		b.Run(row.name+", contended", func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					call(b, row.rt, req)
				}
			})
		})
	}
}

// A call with a copy: the first attempt hangs until it is cancelled.
func BenchmarkHedged(b *testing.B) {
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if attemptOf(req) == 1 {
			return hangs(req)
		}
		return stub(req)
	})
	stage := newStage(b, config(func(c *hedge.Config) { c.Delay, c.Budget = time.Microsecond, 1 }))
	rt := middleware.Chain(base, stage.Wrap)
	req, _ := http.NewRequest("GET", "http://a/", nil)
	b.ReportAllocs()
	for b.Loop() {
		call(b, rt, req)
	}
}
