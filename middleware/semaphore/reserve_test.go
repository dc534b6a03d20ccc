package semaphore_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// Who has just the reserve left when it gets its permit is cut off by its own
// deadline once the upstream is slower than that. Such calls have no service
// time, and still have to move the reserve: else all calls go that way for ever.
func TestReserveFollowsAnUpstreamThatBecomesSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const patience, every = 500 * time.Millisecond, 10 * time.Millisecond
		var service atomic.Int64
		service.Store(int64(50 * time.Millisecond))
		cfg := semaphore.DefaultConfig()
		cfg.MaxConcurrent = 2
		s, err := semaphore.New(cfg)
		require.NoError(t, err)
		rt := middleware.Chain(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Duration(service.Load())):
				return with(200, "ok")(req)
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		}), s.Wrap)
		var calls sync.WaitGroup
		overload := func(d time.Duration) int {
			var good atomic.Int64
			for range d / every {
				calls.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					if status(ctx, rt) == 200 {
						good.Add(1)
					}
				})
				time.Sleep(every)
			}
			return int(good.Load())
		}
		require.Greater(t, overload(5*time.Second), 9*5*40/10, "of 40 per second")
		service.Store(int64(120 * time.Millisecond))
		overload(5 * time.Second)
		require.Greater(t, overload(6*time.Second), 9*6*16/10, "of 16 per second")
		calls.Wait()
	})
}
