//go:build !race

package semaphore_test

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// A request that waits costs at most 1 KB beyond what it has anyway, and no goroutine.
func TestAWaiterIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		s := newStage(t, config(func(c *semaphore.Config) { c.Queue = n }))
		release := make(chan struct{})
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			<-release
			return response(req, 200), nil
		})
		// What a call costs in a chain that blocks in its base, and in one that waits in the queue.
		hold := func(rt http.RoundTripper) (bytes uint64, goroutines int, done func()) {
			var calls sync.WaitGroup
			ctx, cancel := context.WithCancel(t.Context())
			before, running := heap(), runtime.NumGoroutine()
			for range n {
				calls.Go(func() { _ = get(ctx, rt, "http://a/") })
			}
			synctest.Wait()
			return heap() - before, runtime.NumGoroutine() - running, func() { cancel(); calls.Wait() }
		}
		blocked, _, done := hold(middleware.Chain(base, waitingForContext))
		done()
		rt := middleware.Chain(base, s.Wrap)
		var first sync.WaitGroup
		first.Go(func() { _ = get(t.Context(), rt, "http://a/") })
		synctest.Wait()
		queued, goroutines, done := hold(rt)
		_, waiting := inUse(s)
		require.Equal(t, n, waiting)
		done()
		close(release)
		first.Wait()
		each := (int64(queued) - int64(blocked)) / n
		t.Logf("%d bytes for each waiter", each)
		require.Less(t, each, int64(1024))
		require.Equal(t, n, goroutines, "the callers' own")
	})
}

// waitingForContext waits as a base does that never answers.
func waitingForContext(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		<-inner.Context().Done()
		return nil, inner.Context().Err()
	})
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
