package ratelimit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// Requirement 17: callers that cancel at random, a rate that changes and an
// upstream that pushes back, tells limits and reports costs; in the end nobody waits and every token is
// accounted for. HEADGATE_SOAK=1 does it for 30 seconds.
func TestStress(t *testing.T) {
	duration := time.Second
	if os.Getenv("HEADGATE_SOAK") == "1" {
		duration = 30 * time.Second
	}
	cfg := config(func(cfg *ratelimit.Config) {
		cfg.Requests, cfg.Burst, cfg.Queue, cfg.MaxWait, cfg.MaxPause = 5000, 4, 48, 50*time.Millisecond, 3*time.Millisecond
		cfg.Units, cfg.Ramp, cfg.Learn = ratelimit.UnitsConfig{Limit: 50_000, Per: time.Second, Burst: 100}, time.Millisecond, true
	})
	l := newStage(t, cfg, ratelimit.WithCost(func(*http.Request) int { return rand.IntN(20) }))
	var through, refused, unknown, spent atomic.Uint64
	rt := l.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if n := through.Add(1); n%500 == 0 {
			ratelimit.Report(req.Context(), 0)
			return respond(req, http.StatusTooManyRequests, http.Header{"Retry-After-Ms": {"2"}}), nil
		}
		units := rand.IntN(12)
		spent.Add(uint64(units))
		ratelimit.Report(req.Context(), units)
		return respond(req, http.StatusOK, http.Header{"Ratelimit-Remaining": {"3"}, "Ratelimit-Reset": {"0.001"}}), nil
	}))
	until := time.Now().Add(duration)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for time.Now().Before(until) {
				ctx, cancel := context.WithCancel(context.Background())
				if rand.IntN(2) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
				}
				timer := time.AfterFunc(time.Duration(rand.IntN(10000))*time.Microsecond, cancel)
				ctx = middleware.WithPriority(ctx, rand.IntN(3))
				switch err := get(ctx, rt, "http://a/"); {
				case errors.Is(err, middleware.ErrRejected):
					refused.Add(1)
				case err != nil && ctx.Err() == nil: // cancelled while it read the answer is fine
					unknown.Add(1)
				}
				timer.Stop()
				cancel()
			}
		})
	}
	callers.Go(func() {
		for i := 0; time.Now().Before(until); i++ {
			cfg.Requests = 4000 + i%2*2000
			if err := l.Update(cfg); err != nil {
				unknown.Add(1)
			}
			time.Sleep(time.Millisecond)
		}
	})
	callers.Wait()
	stats := only(t, l)
	require.Zero(t, unknown.Load())
	require.Zero(t, stats.Waiting)
	require.Equal(t, through.Load(), stats.Admitted)
	require.Equal(t, refused.Load(), stats.Refused)
	require.NotZero(t, stats.Queued)
	require.Equal(t, spent.Load(), stats.Spent)
	require.LessOrEqual(t, float64(through.Load()), 6000*(duration.Seconds()+1), "the rate is kept")
}

// Requirement 16, the gate's part: 1,600 requests for an upstream that takes
// 300 a second and asks everybody to come back in 2 seconds when it is asked
// for more. The gate is set to more than that, so it learns from pushback
// alone; each request is retried here at most 3 times.
func TestPushbackStormExhaustsNobodysRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst, cfg.Queue = 310, 400, 1600 }))
		var mu sync.Mutex
		window, served := time.Now(), 0
		rt := l.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if time.Since(window) >= time.Second {
				window, served = time.Now(), 0
			}
			if served++; served > 300 {
				return respond(req, http.StatusTooManyRequests, http.Header{"Retry-After": {"2"}}), nil
			}
			return respond(req, http.StatusOK, nil), nil
		}))
		var exhausted, pushedBack atomic.Int64
		var calls sync.WaitGroup
		for range 1600 {
			calls.Go(func() {
				for attempt := 0; ; attempt++ {
					req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a/", nil)
					resp, err := rt.RoundTrip(req)
					if err != nil {
						exhausted.Add(1)
						return
					}
					_ = resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						return
					}
					pushedBack.Add(1)
					if attempt == 3 {
						exhausted.Add(1)
						return
					}
				}
			})
		}
		calls.Wait()
		require.Zero(t, exhausted.Load())
		require.NotZero(t, pushedBack.Load())
		require.Less(t, pushedBack.Load(), int64(160), "one Retry-After speaks to all")
	})
}
