package hedge

import (
	"context"
	"sync"
)

// crew is who runs copies: it bounds how many, and can be waited for.
type crew struct {
	mu      sync.Mutex
	running int
	stopped bool
	gone    chan struct{} // closed when nobody runs any more, if somebody waits
}

// join lets one more run, unless there are limit or the stage was stopped.
func (c *crew) join(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.running >= limit {
		return false
	}
	c.running++
	return true
}

func (c *crew) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 && c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

func (c *crew) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}

// Stop sends no more copies, for good, and waits until those that are in flight
// have come back, cancelled ones included. Calls go on without copies. The
// error is that of ctx, if it ends first.
func (h *Hedge) Stop(ctx context.Context) error {
	c := &h.crew
	c.mu.Lock()
	c.stopped = true
	if c.running > 0 && c.gone == nil {
		c.gone = make(chan struct{})
	}
	gone := c.gone
	c.mu.Unlock()
	if gone == nil {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
