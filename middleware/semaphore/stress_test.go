package semaphore_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// Requirement 17: callers that give up at random, also in the moment in which
// they are granted their permit, while the limit moves. For a second; for 30
// with HEADGATE_SOAK=1.
func TestInFlightReturnsToZeroUnderStress(t *testing.T) {
	t.Parallel()
	duration := time.Second
	if os.Getenv("HEADGATE_SOAK") == "1" {
		duration = 30 * time.Second
	}
	for _, limit := range []string{semaphore.LimitFixed, semaphore.LimitAdaptive} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			const most = 8
			cfg := config(func(c *semaphore.Config) { c.Limit, c.MaxConcurrent = limit, most })
			s := newStage(t, cfg)
			var now, peak atomic.Int64
			rt := s.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				n := now.Add(1)
				defer now.Add(-1)
				for m := peak.Load(); n > m && !peak.CompareAndSwap(m, n); m = peak.Load() {
				}
				switch rand.IntN(8) {
				case 0:
					time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				case 1:
					return response(req, http.StatusServiceUnavailable), nil
				}
				return response(req, http.StatusOK), nil
			}))
			end := time.Now().Add(duration)
			var callers sync.WaitGroup
			for range 64 {
				callers.Go(func() {
					for time.Now().Before(end) {
						ctx, cancel := context.WithCancel(context.Background())
						if rand.IntN(2) == 0 {
							time.AfterFunc(time.Duration(rand.IntN(200))*time.Microsecond, cancel)
						}
						_ = get(ctx, rt, "http://a/")
						cancel()
					}
				})
			}
			callers.Go(func() {
				for time.Now().Before(end) {
					cfg.MaxConcurrent = 1 + rand.IntN(most)
					require.NoError(t, s.Update(cfg))
					time.Sleep(time.Millisecond)
				}
			})
			callers.Wait()
			n, waiting := inUse(s)
			require.Zero(t, n)
			require.Zero(t, waiting)
			require.Zero(t, now.Load())
			require.LessOrEqual(t, peak.Load(), int64(most))
			require.NotZero(t, s.Stats()[0].Admitted)
		})
	}
}
