package ratelimit

import "time"

// pushedBack notes that the upstream did not accept a request, and holds
// everybody back as it asks. It returns as pause does.
func (b *bucket) pushedBack(hint time.Duration) (d time.Duration, began bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.pushedBack++
	b.meter.takeBack()
	return b.pause(time.Now(), hint)
}

// pause gives nobody a token before hint has passed, or max_pause. It returns
// for how long, 0 if that changes nothing, and whether a pause began with it.
// mu is held.
//
// After it the bucket holds a single token at most, and fills slowly at first,
// so that those who waited do not all come at once.
func (b *bucket) pause(now time.Time, hint time.Duration) (d time.Duration, began bool) {
	d = min(hint, b.cfg.MaxPause)
	if until := now.Add(d); d > 0 && until.After(b.resume) {
		b.keepUp(now)
		began = !now.Before(b.resume)
		b.resume = until
		b.requests.keep(until, 1)
	} else if d = 0; !now.Before(b.resume) {
		return 0, false
	}
	// What comes back in the meantime tells how many of those before were accepted.
	b.requests.pace.ramp = ramp{begin: b.resume, seen: max(1, b.meter.rate(b.resume)), back: b.cfg.Ramp}
	b.requests.setPace(b.resume)
	b.sweep(now)
	return d, began
}
