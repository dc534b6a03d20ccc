package ratelimit

import (
	"sync"
	"sync/atomic"
	"time"
)

// bucket is the rate of one key and the queue for it.
type bucket struct {
	key  string
	live *atomic.Pointer[settings] // the stage's

	// mu guards what follows. The clock is read while it is held: a limiter
	// that is asked about times out of order gives more tokens than the rate.
	mu       sync.Mutex
	cfg      *settings // what the budgets are set to
	requests budget
	units    budget
	average  average   // of what requests take of units
	resume   time.Time // no token before
	meter    meter
	queue    queue
	due      *time.Timer // has the head of the queue look again; nil until somebody waits
	counts   counts
}

// counts are what Stats tells.
type counts struct{ admitted, queued, refused, pushedBack, spent uint64 }

func newBucket(key string, live *atomic.Pointer[settings]) *bucket {
	b := &bucket{key: key, live: live, cfg: live.Load()}
	b.requests = newBudget(b.cfg.rate(), b.cfg.Burst)
	if u := &b.cfg.Units; u.on() {
		b.units = newBudget(u.rate(), u.burst())
	}
	return b
}

// idle tells whether a new bucket would be no different.
func (b *bucket) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if len(b.queue) > 0 || now.Before(b.resume) {
		return false
	}
	b.keepUp(now)
	for _, x := range [...]*budget{&b.requests, &b.units} {
		if x.on() && (!x.changes.IsZero() || x.limiter.TokensAt(now) < float64(x.limiter.Burst())) {
			return false
		}
	}
	return true
}

// pass takes a token, and cost units, if they are there and nobody waits for them.
func (b *bucket) pass(cost int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.adopt(now)
	return len(b.queue) == 0 && b.take(now, cost)
}

// take takes a token, and cost units, if they are there. It is the only place
// where that happens. mu is held.
func (b *bucket) take(now time.Time, cost int) bool {
	if now.Before(b.resume) {
		return false
	}
	b.keepUp(now)
	if b.units.on() && !b.units.has(now, cost) || !b.requests.limiter.AllowN(now, 1) {
		return false
	}
	if b.units.on() {
		b.units.charge(now, cost, cost)
		b.counts.spent += uint64(cost)
	}
	b.meter.admit(now)
	b.counts.admitted++
	return true
}

// giveBack returns a token that was not used, and what r has taken.
func (b *bucket) giveBack(r *reservation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A bucket never holds more than its burst, also after this.
	b.requests.charge(b.reckon(time.Now()), -1, 0)
	b.meter.takeBack()
	b.counts.admitted--
	if r != nil && !r.reported {
		b.charge(r, 0)
	}
	b.nudgeHead()
}

// refund returns what r has taken: its request was not processed.
func (b *bucket) refund(r *reservation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !r.reported {
		b.charge(r, 0)
	}
}

// refresh makes changed settings hold for those who wait.
func (b *bucket) refresh() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.adopt(time.Now())
}

// adopt takes over the settings if they have changed. mu is held.
func (b *bucket) adopt(now time.Time) {
	cfg := b.live.Load()
	if cfg == b.cfg {
		return
	}
	at := b.reckon(now)
	b.cfg = cfg
	b.requests.set(at, cfg.rate(), cfg.Burst)
	switch u := &cfg.Units; {
	case !u.on():
		b.units = budget{}
	case b.units.on():
		b.units.set(at, u.rate(), u.burst())
	default:
		b.units = newBudget(u.rate(), u.burst())
	}
	b.sweep(now)
}

// reckon is the time at which to ask the budgets, which it brings forward to
// there: now, or the end of a pause. mu is held.
func (b *bucket) reckon(now time.Time) time.Time {
	if now.Before(b.resume) {
		now = b.resume
	}
	b.keepUp(now)
	return now
}

func (b *bucket) keepUp(now time.Time) {
	b.requests.keepUp(now)
	b.units.keepUp(now)
}

// forecast is when tokens will come. mu is held.
func (b *bucket) forecast(now time.Time) forecast {
	f := forecast{now: b.reckon(now)}
	f.requests = b.requests.stream(f.now)
	if f.weighted = b.units.on(); f.weighted {
		f.units = b.units.stream(f.now)
	}
	return f
}
