//go:build !race

package ratelimit_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// TestAWaiterIsCheap measures a call that waits for its token against one that
// waits in the base of a chain: no more than that, and no goroutine.
func TestAWaiterIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		hanging := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancel(req.Context())
			defer cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		})
		held := func(rt http.RoundTripper) (bytes, goroutines int) {
			ctx, cancel := context.WithCancel(t.Context())
			var calls sync.WaitGroup
			before, running := heap(), runtime.NumGoroutine()
			for range n {
				calls.Go(func() {
					req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://a/", nil)
					_, _ = rt.RoundTrip(req)
				})
			}
			synctest.Wait()
			bytes, goroutines = (heap()-before)/n, runtime.NumGoroutine()-running
			cancel()
			calls.Wait()
			return bytes, goroutines
		}
		l := newStage(t, config(func(c *ratelimit.Config) { c.Queue = n }))
		queueing := middleware.Chain(hanging, l.Wrap)
		ctx, cancel := context.WithCancel(t.Context())
		var first sync.WaitGroup
		first.Go(func() { // takes the token that is there
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://a/", nil)
			_, _ = queueing.RoundTrip(req)
		})
		synctest.Wait()
		below := middleware.Chain(hanging, newStage(t, config(func(c *ratelimit.Config) { c.Burst = 10 * n })).Wrap)
		for _, rt := range []http.RoundTripper{below, queueing} {
			held(rt) // what the runtime makes once and keeps, for goroutines that wait, is not counted
		}
		inBase, _ := held(below)
		inQueue, goroutines := held(queueing)
		cancel()
		first.Wait()
		t.Logf("waiting in the base: %d bytes, in the queue: %d", inBase, inQueue)
		require.Less(t, inQueue, inBase)
		require.Equal(t, n, goroutines, "the callers' own")
	})
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
