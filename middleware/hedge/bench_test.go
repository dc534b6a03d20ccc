package hedge_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

var instant = middlewaretest.Instant(200)

func BenchmarkHedge(b *testing.B) {
	// Of an upstream that answers within nanoseconds the percentile is no time at all.
	stage := newStage(b, config(func(c *hedge.Config) { c.Delay = time.Minute }))
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: instant},
		middlewaretest.Row{Name: "alone", RT: stage.Wrap(instant)},
		middlewaretest.Row{Name: "chain without", RT: middleware.Chain(instant, middlewaretest.Settling, middlewaretest.Attempting)},
		middlewaretest.Row{Name: "chain with", RT: middleware.Chain(instant, middlewaretest.Settling, stage.Wrap)},
		middlewaretest.Row{Name: "inside retry without", RT: middleware.Chain(instant, middlewaretest.Attempting, middlewaretest.Settling)},
		middlewaretest.Row{Name: "inside retry with", RT: middleware.Chain(instant, middlewaretest.Attempting, middlewaretest.Settling, stage.Wrap)},
	)
}

// A call with a copy: the first attempt hangs until it is cancelled.
func BenchmarkHedged(b *testing.B) {
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if attemptOf(req) == 1 {
			return hangs(req)
		}
		return instant.RoundTrip(req)
	})
	stage := newStage(b, config(func(c *hedge.Config) { c.Delay, c.Budget = time.Microsecond, 1 }))
	rt := middleware.Chain(base, stage.Wrap)
	req, _ := http.NewRequest(http.MethodGet, "http://a/", nil)
	b.ReportAllocs()
	for b.Loop() {
		middlewaretest.Exchange(b, rt, req)
	}
}
