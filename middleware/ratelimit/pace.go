package ratelimit

import (
	"math"
	"time"
)

// pace is the rate of a budget as it changes in time: the lowest of what is
// configured, what is allowed a while after a pause, and what the upstream told.
type pace struct {
	rate float64 // tokens a second, as configured
	ramp ramp
	told told
}

// at gives the rate at t, and until when it holds; zero is for good.
func (p *pace) at(t time.Time) (rate float64, until time.Time) {
	rate, until = p.ramp.at(t, p.rate)
	if t.Before(p.told.until) {
		rate = min(rate, p.told.rate)
		if until.IsZero() || p.told.until.Before(until) {
			until = p.told.until
		}
	}
	return rate, until
}

// told is a limit that the upstream told. It expires.
type told struct {
	rate  float64 // tokens a second
	until time.Time
}

// ramp is the staggered release after a pause: the rate begins at half of what
// the upstream was seen to accept, is back there after a while, stays close to
// it for about as long again, and then rises ever faster, so that a rate that
// was taken for too low costs seconds and not minutes. This is the growth of
// CUBIC (RFC 9438, section 4.2), which the AWS SDKs' adaptive retries use for
// the same purpose. The zero value is none.
type ramp struct {
	begin time.Time
	seen  float64       // what the upstream accepted, tokens a second
	back  time.Duration // until the rate is there again
}

// rampSteps is the number of steps in which the rate comes back.
const rampSteps = 8

// at gives the rate at t, at most full, and until when it holds.
func (r *ramp) at(t time.Time, full float64) (rate float64, until time.Time) {
	if r.back == 0 {
		return full, time.Time{}
	}
	step := r.back / rampSteps
	n := max(0, t.Sub(r.begin)/step)
	x := (float64(n)+0.5)/rampSteps - 1 // -1 at the beginning, 0 when it is back
	if rate = r.seen * (1 + x*x*x/2); rate >= full {
		return full, time.Time{}
	}
	return rate, r.begin.Add((n + 1) * step)
}

// forever bounds a forecast where the arithmetic would overflow: 146 years.
const forever = time.Duration(1 << 62)

// timeFor is how long n tokens take at rate. It is rounded down, as
// rate.Limiter does, which then takes what is there for enough.
func timeFor(n, rate float64) time.Duration {
	ns := math.Floor(n / rate * float64(time.Second))
	if !(ns < float64(forever)) { // also for a rate of 0
		return forever
	}
	return time.Duration(ns)
}
