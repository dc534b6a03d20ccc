package middleware

import (
	"sync"
	"sync/atomic"
	"time"
)

// alarm has its call look whether something has to end: when its timer fires,
// or when the caller's context ends. A ring too many does no harm, so that an
// alarm can serve one call after the other, also while it still rings.
type alarm struct {
	call  atomic.Pointer[call]
	ring  func() // made once, because a method value is allocated
	timer *time.Timer
	alone bool // not to be used again: there is no pool, or the timer is a bubble's

	// Guarded by the call's mutex.
	at     instant     // when the timer fires
	unhook func() bool // stops watching the caller's context; nil if that isn't
}

func newAlarm() *alarm {
	a := &alarm{at: never}
	a.ring = func() {
		if c := a.call.Load(); c != nil {
			c.look()
		}
	}
	return a
}

// set has the alarm ring at a time, instead of when it was set to before. A timer
// belongs to the synctest bubble that made it, and a chain may outlive that.
func (a *alarm) set(at instant) {
	a.at = at
	after := time.Duration(at - sinceEpoch())
	if a.timer != nil && (a.alone || !at.bubbled()) {
		a.timer.Reset(after)
		return
	}
	a.timer = time.AfterFunc(after, a.ring)
	a.alone = a.alone || at.bubbled()
}

// alarms are those of a chain that no call uses.
type alarms struct{ pool sync.Pool }

// take gives an alarm to c. A nil s has none.
func (s *alarms) take(c *call) *alarm {
	var a *alarm
	if s != nil {
		a, _ = s.pool.Get().(*alarm)
	}
	if a == nil {
		a = newAlarm()
		a.alone = s == nil
	}
	a.call.Store(c)
	return a
}

// giveBack stops a and keeps it for another call.
func (s *alarms) giveBack(a *alarm) {
	a.call.Store(nil)
	if a.unhook != nil {
		a.unhook()
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	a.at, a.unhook = never, nil
	if !a.alone {
		s.pool.Put(a)
	}
}

// pool is where the call's alarm comes from; nil outside a chain.
func (c *call) pool() *alarms {
	if c.chain == nil {
		return nil
	}
	return &c.chain.alarms
}
