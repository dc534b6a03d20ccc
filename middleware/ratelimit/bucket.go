package ratelimit

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// bucket is the rate of one key and the queue for it.
type bucket struct {
	key  string
	live *atomic.Pointer[Config] // the stage's settings

	// mu guards what follows. The clock is read while it is held: a limiter
	// that is asked about times out of order gives more tokens than the rate.
	mu      sync.Mutex
	cfg     *Config // the settings that limiter has
	limiter *rate.Limiter
	resume  time.Time // no token before
	queue   queue
	counts  counts
}

// counts are what Stats tells.
type counts struct{ admitted, queued, refused uint64 }

func newBucket(key string, live *atomic.Pointer[Config]) *bucket {
	cfg := live.Load()
	return &bucket{key: key, live: live, cfg: cfg, limiter: rate.NewLimiter(rate.Limit(cfg.rate()), cfg.Burst)}
}

// idle tells whether a new bucket would be no different.
func (b *bucket) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	return len(b.queue) == 0 && !now.Before(b.resume) && b.limiter.TokensAt(now) >= float64(b.cfg.Burst)
}

// pass takes a token if there is one and nobody waits for it.
func (b *bucket) pass() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.adopt(now)
	return len(b.queue) == 0 && b.take(now)
}

// take takes a token if there is one. It is the only place where that happens. mu is held.
func (b *bucket) take(now time.Time) bool {
	if now.Before(b.resume) || !b.limiter.AllowN(now, 1) {
		return false
	}
	b.counts.admitted++
	return true
}

// giveBack returns a token that was not used.
func (b *bucket) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	// A bucket never holds more than its burst, also after this.
	b.limiter.AllowN(b.reckon(time.Now()), -1)
	b.counts.admitted--
	b.nudgeHead()
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
	b.limiter.SetLimitAt(at, rate.Limit(cfg.rate()))
	b.limiter.SetBurstAt(at, cfg.Burst)
	b.cfg = cfg
	b.sweep(now)
}

// pause gives nobody a token before hint has passed, or max_pause. It returns
// for how long, 0 if it changes nothing, and whether a pause began with it.
//
// After it the bucket holds a single token at most, so that those who waited go
// at the rate and not in a burst.
func (b *bucket) pause(hint time.Duration) (d time.Duration, began bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	d = min(hint, b.cfg.MaxPause)
	until := now.Add(d)
	if d <= 0 || !until.After(b.resume) {
		return 0, false
	}
	began = !now.Before(b.resume)
	b.resume = until
	b.limiter.SetBurstAt(until, 1) // drops what is more than one token
	b.limiter.SetBurstAt(until, b.cfg.Burst)
	b.sweep(now)
	return d, began
}

// reckon is the time at which to ask the limiter: now, or the end of a pause,
// to which it has been brought forward. mu is held.
func (b *bucket) reckon(now time.Time) time.Time {
	if now.Before(b.resume) {
		return b.resume
	}
	return now
}

// forecast is when tokens will come. mu is held.
func (b *bucket) forecast(now time.Time) forecast {
	from := b.reckon(now)
	return forecast{from: from, tokens: b.limiter.TokensAt(from), rate: b.cfg.rate()}
}
