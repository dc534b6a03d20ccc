package middleware

import (
	"slices"
	"time"
)

// limit is a deadline that a stage set.
type limit struct {
	ex    *Exchange
	at    instant
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
	if e.why.Load() != nil {
		return
	}
	if deadline, ok := c.ctx().Deadline(); ok && !at.IsZero() && !at.Before(deadline) && !c.nested() {
		at = time.Time{}
	}
	i := slices.IndexFunc(c.limits, func(l limit) bool { return l.ex == e && l.cause == cause })
	switch {
	case at.IsZero() && i >= 0:
		c.limits = slices.Delete(c.limits, i, i+1)
	case at.IsZero():
	case i >= 0:
		c.limits[i].at = instantOf(at)
	default:
		c.limits = append(c.limits, limit{e, instantOf(at), cause})
	}
	switch {
	case c.listening:
		c.arm()
	case !at.IsZero() && c.awaited():
		c.listen()
	}
}

// nested tells whether the caller's context belongs to an exchange itself: then its deadline may move.
func (c *call) nested() bool { return c.ctx().Value(exchangeKey{}) != nil }

// CallersDeadline is a cause for Limit that stands for the caller's own
// deadline, or a time just before it. What it ends has the ReasonDeadline.
type CallersDeadline interface {
	error
	CallersDeadline()
}

// Cause tells which limit ended the exchange's context; nil if none did.
func (e *Exchange) Cause() error {
	if why := e.why.Load(); why != nil && why.late {
		return why.err
	}
	return nil
}

// arm sees to it that the alarm rings at the earliest limit or before: one that
// is early looks again, which is cheaper than to move it each time that a limit
// is lifted. c.mu is held.
func (c *call) arm() {
	next := never
	for i := range c.limits {
		l := &c.limits[i]
		if l.ex.why.Load() == nil {
			next = min(next, l.at)
		}
	}
	if next == never || c.alarm != nil && next >= c.alarm.at {
		return
	}
	c.needAlarm()
	c.alarm.set(next)
}

// needAlarm gets an alarm. c.mu is held.
func (c *call) needAlarm() {
	if c.alarm == nil {
		c.alarm = c.pool().take(c)
	}
}

// look ends what has to end: the caller's context has ended, or a limit is reached.
func (c *call) look() {
	c.mu.Lock()
	if c.live == nil {
		c.mu.Unlock()
		return // it rang too late
	}
	if c.alarm != nil {
		c.alarm.at = never
	}
	var ends endings
	if err := c.ctx().Err(); err != nil {
		ends = c.cancelBelow(nil, endedWith(err), nil)
	} else {
		ends = c.cancelLate()
	}
	c.arm()
	c.mu.Unlock()
	ends.run()
}

// cancelLate cancels what has reached its limit, the call before its attempts. c.mu is held.
func (c *call) cancelLate() (ends endings) {
	if len(c.limits) == 0 {
		return nil
	}
	now := sinceEpoch()
	for e := c.live; e != nil; e = e.next {
		for _, l := range c.limits {
			if l.ex == e && e.why.Load() == nil && l.at <= now {
				ends = c.cancelBelow(e, &cause{err: l.cause, late: true, early: true}, ends)
			}
		}
	}
	return ends
}
