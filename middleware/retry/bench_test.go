package retry_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
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

func row(tb testing.TB, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// A call that succeeds at once costs no allocation more in a chain.
func TestHappyPathAllocatesNothing(t *testing.T) {
	req, _ := http.NewRequest("GET", "http://a/", nil)
	allocs := func(rt http.RoundTripper) float64 {
		return testing.AllocsPerRun(200, func() { row(t, rt, req) })
	}
	stage := newStage(t, retry.DefaultConfig())
	require.LessOrEqual(t,
		allocs(middleware.Chain(stub, through, stage.Wrap)),
		allocs(middleware.Chain(stub, through)))
}

func BenchmarkRetry(b *testing.B) {
	stage := newStage(b, retry.DefaultConfig())
	for _, r := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", stage.Wrap(stub)},
		{"chain without", middleware.Chain(stub, through)},
		{"chain with", middleware.Chain(stub, through, stage.Wrap)},
	} {
		b.Run(r.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			for b.Loop() {
				row(b, r.rt, req)
			}
		})
	}
}

// Contended: what the calls of all goroutines have in common is a few counters.
func BenchmarkRetryContended(b *testing.B) {
	stage := newStage(b, retry.DefaultConfig())
	for _, r := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"chain without", middleware.Chain(stub, through)},
		{"chain with", middleware.Chain(stub, through, stage.Wrap)},
	} {
		b.Run(r.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				req, _ := http.NewRequest("GET", "http://a/", nil)
				for pb.Next() {
					row(b, r.rt, req)
				}
			})
		})
	}
}
