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
	alone bool // not to be used again

	// Guarded by the call's mutex.
	at     time.Time   // when the timer fires; zero if it doesn't
	unhook func() bool // stops watching the caller's context; nil if that isn't
}

func newAlarm() *alarm {
	a := &alarm{}
	a.ring = func() {
		if c := a.call.Load(); c != nil {
			c.look()
		}
	}
	return a
}

// set has the alarm ring at a time, instead of when it was set to before.
func (a *alarm) set(at, now time.Time) {
	a.at = at
	if a.timer != nil {
		a.timer.Reset(at.Sub(now))
		return
	}
	a.timer = time.AfterFunc(at.Sub(now), a.ring)
	a.alone = a.alone || bubbled(now)
}

// alarms are those of a chain that no call uses.
type alarms struct{ pool sync.Pool }

// take gives an alarm to c. A nil s has none.
func (s *alarms) take(c *call, now time.Time) *alarm {
	var a *alarm
	alone := s == nil || bubbled(now)
	if !alone {
		a, _ = s.pool.Get().(*alarm)
	}
	if a == nil {
		a = newAlarm()
	}
	a.alone = alone
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
	a.at, a.unhook = time.Time{}, nil
	if !a.alone {
		s.pool.Put(a)
	}
}

// bubbled tells whether now was read within a synctest bubble: its clock has no
// monotonic reading. A timer belongs to the bubble that made it, and a chain may
// outlive that.
func bubbled(now time.Time) bool { return now == now.Round(0) }

// pool is where the call's alarm comes from; nil outside a chain.
func (c *call) pool() *alarms {
	if c.chain == nil {
		return nil
	}
	return &c.chain.alarms
}
