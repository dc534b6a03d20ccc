package middleware

import (
	"context"
	"slices"
	"time"
)

// Await is how a stage has a request wait in its queue. It blocks until
// something is sent to turn, which has room for one, or until ctx ends, the
// context of the request: e, or one that a stage in between has made of it. The
// stage sends to turn at the time until at the latest: limits that come later are
// not watched. That saves memory where requests that wait are many: an exchange
// that nobody asked for Done costs neither a channel nor a timer. It may return
// early: look at what was awaited and at the context, and call it again.
func (e *Exchange) Await(ctx context.Context, turn chan struct{}, until time.Time) {
	if ctx != context.Context(e) {
		select {
		case <-turn:
		case <-ctx.Done():
		}
		return
	}
	c := e.call
	c.mu.Lock()
	if e.why.Load() != nil {
		c.mu.Unlock()
		return
	}
	place, id := c.remember(after{ex: e, turn: turn})
	if c.limitBefore(e, instantOf(until)) {
		c.listen()
	}
	var gone <-chan struct{}
	if !c.listening {
		gone = c.ctx().Done()
	}
	c.mu.Unlock()
	select {
	case <-turn:
	case <-gone:
	}
	c.forget(place, id)
}

// limitBefore tells whether a limit ends the context of e before the time at. c.mu is held.
func (c *call) limitBefore(e *Exchange, at instant) bool {
	return slices.ContainsFunc(c.limits, func(l limit) bool { return l.at < at && e.within(l.ex) })
}

// awaited tells whether anybody is in Await. c.mu is held.
func (c *call) awaited() bool {
	return slices.ContainsFunc(c.afters, func(a after) bool { return a.turn != nil })
}
