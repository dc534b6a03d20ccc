package circuitbreaker

import (
	"slices"
	"time"
)

// lease is a probe's right to be waited for.
type lease struct {
	id      uint32
	expires time.Duration
}

// leases are those of one half-open phase.
type leases struct {
	held []lease
	last uint32
}

// take gives a lease, for ttl from now on, unless as many as allowed are held;
// then id is 0 and wait the time until the first expires.
func (l *leases) take(now, ttl time.Duration, allowed int) (id uint32, wait time.Duration) {
	l.held = slices.DeleteFunc(l.held, func(x lease) bool { return x.expires <= now })
	if len(l.held) >= allowed {
		first := slices.MinFunc(l.held, func(a, b lease) int { return int(a.expires - b.expires) })
		return 0, first.expires - now
	}
	l.last = max(1, (l.last+1)&^slowToken)
	l.held = append(l.held, lease{id: l.last, expires: now + ttl})
	return l.last, 0
}

// giveBack ends a lease; false if it was replaced because it had expired.
func (l *leases) giveBack(id uint32) bool {
	i := slices.IndexFunc(l.held, func(x lease) bool { return x.id == id })
	if i < 0 {
		return false
	}
	l.held = slices.Delete(l.held, i, i+1)
	return true
}

// live tells whether a probe is still waited for.
func (l *leases) live(now time.Duration) bool {
	return slices.ContainsFunc(l.held, func(x lease) bool { return x.expires > now })
}
