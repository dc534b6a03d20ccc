package middleware

import (
	"context"
	"time"
)

// limit is a deadline that a stage set.
type limit struct {
	at    time.Time
	cause error
}

// Limit sets a deadline on the exchange: at that time its context ends with
// context.DeadlineExceeded, Cause gives cause, and reading the response's body
// fails with cause. The same cause again moves its deadline, and a zero time
// lifts it; different causes are independent, so cause is a value of the stage
// that compares (a pointer). It has no effect once the context has ended. No
// timer runs for a limit that comes later than the caller's own deadline.
func (e *Exchange) Limit(at time.Time, cause error) {
	c := e.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if deadline, ok := c.ctx.Deadline(); ok && !at.IsZero() && !at.Before(deadline) && !c.nested() {
		at = time.Time{}
	}
	i := 0
	for i < len(e.limits) && e.limits[i].cause != cause {
		i++
	}
	switch {
	case at.IsZero() && i < len(e.limits):
		e.limits[i] = e.limits[len(e.limits)-1]
		e.limits = e.limits[:len(e.limits)-1]
	case at.IsZero():
	case i < len(e.limits):
		e.limits[i].at = at
	default:
		e.limits = append(e.limits, limit{at, cause})
	}
	if c.listening {
		c.arm()
	}
}

// nested tells whether the caller's context belongs to an exchange itself: then its deadline may move.
func (c *call) nested() bool { return c.ctx.Value(exchangeKey{}) != nil }

// CallersDeadline is a cause for Limit that stands for the caller's own
// deadline, or a time just before it. What it ends has the ReasonDeadline.
type CallersDeadline interface {
	error
	CallersDeadline()
}

// Cause tells which limit ended the exchange's context; nil if none did.
func (e *Exchange) Cause() error {
	if !e.broken.Load() {
		return nil
	}
	e.call.mu.Lock()
	defer e.call.mu.Unlock()
	return e.cause
}

// arm sees to it that the timer fires at the earliest limit or before: a timer
// that is early looks again, which is cheaper than to move it each time that a
// limit is lifted. c.mu is held.
func (c *call) arm() {
	var next time.Time
	for _, e := range c.live {
		for _, l := range e.limits {
			if e.err == nil && (next.IsZero() || l.at.Before(next)) {
				next = l.at
			}
		}
	}
	if next.IsZero() || !c.armed.IsZero() && !next.Before(c.armed) {
		return
	}
	c.armed = next
	if d := time.Until(next); c.timer == nil {
		c.timer = time.AfterFunc(d, c.tick)
	} else {
		c.timer.Reset(d)
	}
}

// tick ends what has reached its limit.
func (c *call) tick() {
	c.mu.Lock()
	c.armed = time.Time{}
	ends := c.cancelLate()
	c.arm()
	c.mu.Unlock()
	ends.run()
}

// cancelLate cancels what has reached its limit. c.mu is held.
func (c *call) cancelLate() (ends endings) {
	for _, e := range c.live {
		for _, l := range e.limits {
			if e.err == nil && time.Until(l.at) <= 0 {
				ends = c.cancelBelow(e, context.DeadlineExceeded, l.cause, ends)
			}
		}
	}
	return ends
}
