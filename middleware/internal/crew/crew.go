// Package crew counts what works beside the callers of a stage, so that it can be
// bounded, and waited for when the stage stops.
package crew

import (
	"context"
	"sync"
)

// Crew is those who work. The zero value is empty. It is safe for concurrent use.
type Crew struct {
	mu      sync.Mutex
	working int
	stopped bool
	gone    chan struct{} // closed when nobody works any more; nil if nobody waits for that
}

// Join lets one more work, unless there are limit or the crew was stopped. Leave must follow.
func (c *Crew) Join(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped || c.working >= limit {
		return false
	}
	c.working++
	return true
}

// Leave is the end of one's work.
func (c *Crew) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.working--; c.working == 0 && c.gone != nil {
		close(c.gone)
		c.gone = nil
	}
}

// Size is how many work.
func (c *Crew) Size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.working
}

// Stop lets nobody join any more.
func (c *Crew) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}

// Wait waits until nobody works. The error is that of ctx, if it ends first.
func (c *Crew) Wait(ctx context.Context) error {
	c.mu.Lock()
	if c.working > 0 && c.gone == nil {
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
