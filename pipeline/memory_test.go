//go:build !race

package pipeline_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// blocked waits for ever, as net/http does: for a context that it derives.
var blocked = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	defer cancel()
	<-ctx.Done()
	return nil, ctx.Err()
})

// queueing is net/http with its own queue: it may have one connection, which
// does not come before stop.
func queueing(stop context.Context) *http.Transport {
	return &http.Transport{
		MaxConnsPerHost: 1,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			<-stop.Done()
			return nil, stop.Err()
		},
	}
}

const callers = 2000

// held is what each of many calls holds while rt keeps them all waiting.
func held(t *testing.T, rt http.RoundTripper) (bytes, goroutines int) {
	ctx, cancel := context.WithCancel(t.Context())
	var calls sync.WaitGroup
	requests := make([]*http.Request, callers)
	for i := range requests {
		requests[i] = request(t, ctx, http.MethodPost, "http://api.example.com/v1")
	}
	before, running := heap(), runtime.NumGoroutine()
	for _, req := range requests {
		calls.Go(func() { _, _ = rt.RoundTrip(req) })
	}
	synctest.Wait()
	bytes, goroutines = heap()-before, runtime.NumGoroutine()-running
	runtime.KeepAlive(requests)
	cancel()
	calls.Wait()
	return bytes / callers, goroutines
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestARequestThatWaitsInTheQueueIsCheap measures a call of the standard order
// that waits for a permit against one that waits for a connection in net/http's
// own queue, and against one that waits in a base and holds next to nothing there.
func TestARequestThatWaitsInTheQueueIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := full(map[string]any{"semaphore": map[string]any{"limit": "fixed", "max_concurrent": 1, "queue": callers, "max_wait": "20s"}})
		cfg.Off = []string{"cache"} // what it keeps of a request is its own affair
		p := build(t, cfg, blocked)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var first sync.WaitGroup
		first.Go(func() { _, _ = p.RoundTrip(request(t, ctx, http.MethodPost, "http://api.example.com/v1")) })
		synctest.Wait()

		nothing := build(t, pipeline.Config{}, blocked)
		own := queueing(ctx)
		for _, rt := range []http.RoundTripper{blocked, nothing, own, p} {
			held(t, rt) // what the runtime makes once and keeps, for goroutines that wait, is not counted
		}
		base, _ := held(t, blocked)
		chain, _ := held(t, nothing)
		theirs, _ := held(t, own)
		waiting, goroutines := held(t, p)
		cancel()
		first.Wait()
		t.Logf("waiting in the base: %d bytes; there, below a chain of nothing: %d; in net/http's queue: %d; in the queue: %d", base, chain, theirs, waiting)
		require.Equal(t, callers, goroutines, "the callers' own")
		require.Less(t, waiting, chain)
		require.LessOrEqual(t, waiting-theirs, 1024, "the target: beside what net/http has for a request that waits")
		require.LessOrEqual(t, waiting-base, 1208, "the exchange of a call and its attempt is 1144 of it, their two copies of the request 608")
	})
}
