package httpcache

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// storeCalm is for how long nothing must have failed before a store counts as well
// again: one that takes some calls and fails others is not told of at each.
const storeCalm = 10 * time.Second

// storeHealth knows whether the store is in trouble, which is told when it
// begins and when it is over.
type storeHealth struct {
	failing atomic.Bool
	mu      sync.Mutex
	last    time.Time // failure
}

// failed tells whether trouble begins.
func (h *storeHealth) failed(now time.Time) (begins bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = now
	return !h.failing.Swap(true)
}

// worked tells whether trouble is over. Without any it costs nothing.
func (h *storeHealth) worked() (ends bool) {
	if !h.failing.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.last) >= storeCalm && h.failing.Swap(false)
}

// storeFailed counts what the store could not do.
func (c *Cache) storeFailed(ctx context.Context, err error) {
	c.stats.storeErrors.Add(1)
	if c.health.failed(time.Now()) {
		c.report(ctx, EventStoreFailed, slog.LevelWarn, err)
	}
}

// storeWorked is called when the store gave or took something. That it had nothing
// says little: so does a tiered store that is down.
func (c *Cache) storeWorked(ctx context.Context) {
	if c.health.worked() {
		c.report(ctx, EventStoreRecovered, slog.LevelInfo, nil)
	}
}
