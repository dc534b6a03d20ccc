package ratelimit

import "time"

// forecast tells when the tokens to come will come, as long as nothing changes.
type forecast struct {
	from   time.Time // tokens were counted at this time, and none is given before
	tokens float64
	rate   float64 // tokens a second
}

// forever bounds a forecast where the arithmetic would overflow: 146 years.
const forever = time.Duration(1 << 62)

// at is when the waiter that stands behind n others gets its token.
func (f forecast) at(n int) time.Time {
	missing := float64(n+1) - f.tokens
	if missing <= 0 {
		return f.from
	}
	// As rate.Limiter counts: rounded down, which it then takes for enough.
	wait := missing / f.rate * float64(time.Second)
	if wait >= float64(forever) {
		return f.from.Add(forever)
	}
	return f.from.Add(time.Duration(wait))
}
