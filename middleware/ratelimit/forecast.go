package ratelimit

import "time"

// forecast tells when the tokens to come will come, as long as nothing changes.
// It stands at a time and moves on as those who wait take what they need.
type forecast struct {
	now      time.Time
	requests stream
	units    stream
	weighted bool // there is a budget in units
}

// stream is a budget in a forecast.
type stream struct {
	tokens float64
	burst  float64
	pace   *pace
}

// next gives the time when whoever is next gets n requests, one as a rule, and
// cost units, and moves on to there.
func (f *forecast) next(n, cost int) time.Time {
	at := f.requests.when(f.now, float64(n))
	if f.weighted {
		if units := f.units.when(f.now, min(float64(cost), f.units.burst)); units.After(at) {
			at = units
		}
		f.units.fill(f.now, at, f.units.burst)
		f.units.tokens -= float64(cost)
	}
	f.requests.fill(f.now, at, max(float64(n), f.requests.burst))
	f.requests.tokens -= float64(n)
	f.now = at
	return at
}

// pass moves on to when all of q have gone. Those that take a request each and
// nothing else are passed at once.
func (f *forecast) pass(q queue) {
	if !f.weighted {
		f.next(len(q), 0)
		return
	}
	for _, w := range q {
		f.next(1, w.cost)
	}
}

// when is the time from now on at which there will be n tokens.
func (s *stream) when(now time.Time, n float64) time.Time {
	missing := n - s.tokens
	for missing > 0 {
		rate, until := s.pace.at(now)
		wait := timeFor(missing, rate)
		if until.IsZero() || wait <= until.Sub(now) {
			return now.Add(wait)
		}
		missing -= rate * until.Sub(now).Seconds()
		now = until
	}
	return now
}

// fill adds the tokens that come between two times, up to most.
func (s *stream) fill(from, to time.Time, most float64) {
	for from.Before(to) {
		rate, until := s.pace.at(from)
		if until.IsZero() || to.Before(until) {
			until = to
		}
		s.tokens = min(most, s.tokens+rate*until.Sub(from).Seconds())
		from = until
	}
}
