package circuitbreaker

import (
	"math"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// countable are the verdicts that configuration can call a failure. The others
// say that the upstream is well, or nothing about it.
var countable = map[string]middleware.Verdict{
	middleware.Failure.String():   middleware.Failure,
	middleware.Busy.String():      middleware.Busy,
	middleware.Pushback.String():  middleware.Pushback,
	middleware.Exhausted.String(): middleware.Exhausted,
}

// settings are a Config made ready for use; immutable.
type settings struct {
	Config
	key   middleware.KeyFunc
	fails [middleware.Neutral + 1]bool // by verdict
}

func newSettings(cfg Config, key middleware.KeyFunc) *settings {
	s := &settings{Config: cfg, key: key}
	if key == nil {
		s.key = middleware.KeyByName(cfg.Key)
	}
	for _, name := range cfg.Failures {
		s.fails[countable[name]] = true
	}
	return s
}

// failed tells whether an answer counts as a failure.
func (s *settings) failed(v middleware.Verdict) bool {
	return int(v) < len(s.fails) && s.fails[v]
}

// tripped tells which rate, if any, what the window holds is reason to open for.
func (s *settings) tripped(t totals) string {
	// Divided, not multiplied: 7 of 100 is 0.07 to the last bit, 0.07*100 is not 7.
	switch calls := float64(t.calls); {
	case t.calls < int64(s.MinCalls):
		return ""
	case s.FailureRate > 0 && float64(t.failures)/calls >= s.FailureRate:
		return causeFailureRate
	case s.SlowCall > 0 && float64(t.slow)/calls >= s.SlowCallRate:
		return causeSlowCallRate
	}
	return ""
}

// openTime is how long the breaker stays open the nth time in a row, n from 1
// on, if the upstream asks for hint.
func (s *settings) openTime(n int, hint time.Duration) time.Duration {
	grown := float64(s.OpenFor) * math.Pow(s.OpenGrowth, float64(n-1))
	if grown >= float64(s.MaxOpenFor) {
		return s.MaxOpenFor
	}
	return min(max(time.Duration(grown), hint), s.MaxOpenFor)
}

// memory is how long a breaker that nobody uses is worth keeping.
func (s *settings) memory() time.Duration { return max(s.Window, s.MaxOpenFor) }
