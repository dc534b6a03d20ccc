package ratelimit

import (
	"time"

	"golang.org/x/time/rate"
)

// budget is a token bucket whose rate changes in time. Its owner sees to it
// that it is never asked about an earlier time than before: a rate.Limiter
// would give more tokens than the rate.
type budget struct {
	limiter *rate.Limiter // nil for a budget that does not exist
	pace    pace
	changes time.Time // when the rate changes next; zero if it does not
}

func newBudget(perSecond float64, burst int) budget {
	return budget{limiter: rate.NewLimiter(rate.Limit(perSecond), burst), pace: pace{rate: perSecond}}
}

// on tells whether the budget exists.
func (b *budget) on() bool { return b.limiter != nil }

// keepUp makes the changes of the rate that were due by now.
func (b *budget) keepUp(now time.Time) {
	for !b.changes.IsZero() && !now.Before(b.changes) {
		b.setPace(b.changes)
	}
}

// setPace makes the limiter go at the rate of at.
func (b *budget) setPace(at time.Time) {
	perSecond, changes := b.pace.at(at)
	b.limiter.SetLimitAt(at, rate.Limit(perSecond))
	b.changes = changes
}

// set takes over a configuration.
func (b *budget) set(at time.Time, perSecond float64, burst int) {
	b.pace.rate = perSecond
	b.limiter.SetBurstAt(at, burst)
	b.setPace(at)
}

// keep drops what is more than n tokens.
func (b *budget) keep(at time.Time, n int) {
	burst := b.limiter.Burst()
	b.limiter.SetBurstAt(at, min(n, burst))
	b.limiter.SetBurstAt(at, burst)
}

// has tells whether a request can have n tokens: that many, or a full bucket
// for one that needs more than it holds.
func (b *budget) has(at time.Time, n int) bool {
	missing := float64(min(n, b.limiter.Burst())) - b.limiter.TokensAt(at)
	return missing <= 0 || timeFor(missing, float64(b.limiter.Limit())) == 0
}

// charge takes n tokens, or gives some back where n is negative. They go down
// to -debt at most, and up to the burst. It returns how many were taken.
func (b *budget) charge(at time.Time, n, debt int) int {
	if room := b.limiter.TokensAt(at) + float64(debt); n > 0 && float64(n) > room {
		n = max(0, int(room))
	}
	// ReserveN refuses more than a burst.
	burst := b.limiter.Burst()
	b.limiter.SetBurstAt(at, max(n, burst))
	b.limiter.ReserveN(at, n)
	b.limiter.SetBurstAt(at, burst)
	return n
}

// stream is what the budget will have, from at on.
func (b *budget) stream(at time.Time) stream {
	return stream{tokens: b.limiter.TokensAt(at), burst: float64(b.limiter.Burst()), pace: &b.pace}
}
