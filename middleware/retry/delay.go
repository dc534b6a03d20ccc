package retry

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// delay is the time to wait after the given attempt. A hint of the upstream is
// never cut short: jitter only adds to it, as much as it would add to a backoff.
func (c *Config) delay(attempt int, o middleware.Outcome) time.Duration {
	backoff := c.backoff(attempt)
	random := time.Duration(rand.Float64() * c.Jitter * float64(backoff))
	if o.Hinted {
		return min(o.RetryAfter, math.MaxInt64-random) + random
	}
	return backoff - time.Duration(c.Jitter*float64(backoff)) + random
}

// backoff is the delay without jitter: base_delay, doubled with each attempt, up to max_delay.
func (c *Config) backoff(attempt int) time.Duration {
	d := c.BaseDelay
	for range attempt - 1 {
		if d >= c.MaxDelay/2 {
			return c.MaxDelay
		}
		d *= 2
	}
	return d
}
