package hedge_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// brownout sends 200 requests a second for a minute to an upstream that answers
// within 20 to 60 ms, but takes 2 s for a tenth of its answers. It gives the
// times until the answers, sorted, and the upstream's requests per call.
func brownout(t *testing.T, stage middleware.Middleware) (times []time.Duration, load float64) {
	const calls, gap = 12_000, 5 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	var requests atomic.Int64
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		requests.Add(1)
		mu.Lock()
		takes := 20*time.Millisecond + time.Duration(random.Int64N(int64(40*time.Millisecond)))
		if random.Float64() < 0.1 {
			takes = 2 * time.Second
		}
		mu.Unlock()
		timer := time.NewTimer(takes)
		defer timer.Stop()
		select {
		case <-timer.C:
			return instant.RoundTrip(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	})
	rt := middleware.Chain(base, middlewaretest.Settling, stage)
	var callers sync.WaitGroup
	for range calls {
		time.Sleep(gap)
		callers.Go(func() {
			start := time.Now()
			resp, err := rt.RoundTrip(request(t.Context(), t))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(start))
		})
	}
	callers.Wait()
	slices.Sort(times)
	return times, float64(requests.Load()) / calls
}

// The experiment of a brown-out, 10 % slow answers: what hedging does to the
// tail and what it costs.
func TestBrownOut(t *testing.T) {
	quantile := func(times []time.Duration, q float64) time.Duration {
		return times[int(q*float64(len(times)-1))].Round(time.Millisecond)
	}
	var without []time.Duration
	for _, row := range []struct {
		name   string
		stage  func(*hedge.Config) // nil: no stage
		better float64             // the quantile that is at least halved
		load   float64             // at most
	}{
		{name: "without hedge", load: 1},
		// The budget is as large as the share of slow answers, and one copy in ten
		// is slow itself: about one call in a hundred stays slow.
		{"one copy, budget 0.1, delay at most 200 ms", func(c *hedge.Config) {}, 0.98, 1.1},
		{"two copies, budget 0.2, delay at most 200 ms", func(c *hedge.Config) { c.MaxHedges, c.Budget = 2, 0.2 }, 0.99, 1.2},
		{"two copies, budget 0.2, fixed delay", func(c *hedge.Config) { c.MaxHedges, c.Budget, c.Percentile, c.Delay = 2, 0.2, 0, 100*time.Millisecond }, 0.99, 1.2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stage := middlewaretest.Settling
				if row.stage != nil {
					cfg := hedge.DefaultConfig()
					cfg.Delay = 200 * time.Millisecond
					row.stage(&cfg)
					h := newStage(t, cfg)
					stage = h.Wrap
					defer func() {
						require.NoError(t, h.Stop(t.Context()))
						t.Logf("%+v", stats(h))
					}()
				}
				times, load := brownout(t, stage)
				t.Logf("p50 %v, p90 %v, p95 %v, p98 %v, p99 %v, p99.9 %v; %.3f requests per call", quantile(times, 0.5), quantile(times, 0.9),
					quantile(times, 0.95), quantile(times, 0.98), quantile(times, 0.99), quantile(times, 0.999), load)
				if row.stage == nil {
					without = times
				} else {
					require.LessOrEqual(t, quantile(times, row.better), quantile(without, row.better)/2)
				}
				require.LessOrEqual(t, load, row.load)
			})
		})
	}
}
