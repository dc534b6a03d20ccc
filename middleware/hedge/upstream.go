package hedge

import (
	"sync/atomic"
	"time"
)

// upstream is what is known of one key.
type upstream struct {
	key       string
	budget    budget
	latencies latencies
	paused    atomic.Int64 // until when no copies are sent, in the stage's time

	requests, sent, won, lost, withheld, refused atomic.Uint64
}

// idle tells whether it can be forgotten: nothing came for a whole window.
func (u *upstream) idle(now, window time.Duration) bool {
	requests, copies := u.budget.totals(period(now, window))
	return requests == 0 && copies == 0 && u.pausedFor(now) == 0
}

// pause sends no copies for a while; began is false if it only goes on.
func (u *upstream) pause(now, d time.Duration) (began bool) {
	until := int64(now + d)
	for {
		old := u.paused.Load()
		if old >= until {
			return false
		}
		if u.paused.CompareAndSwap(old, until) {
			return old <= int64(now)
		}
	}
}

func (u *upstream) pausedFor(now time.Duration) time.Duration {
	return max(0, time.Duration(u.paused.Load())-now)
}
