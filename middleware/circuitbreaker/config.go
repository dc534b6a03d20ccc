package circuitbreaker

import (
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings.
type Config struct {
	// FailureRate is the share of failed calls in the window, from 0 to 1, at
	// which the breaker opens. 0 switches it off. Default 0.5.
	FailureRate float64 `yaml:"failure_rate"`
	// MinCalls is how many calls there must be in the window before its rates
	// mean anything. Default 20.
	MinCalls int `yaml:"min_calls"`
	// Window is the time that the rates look back on. It slides in steps of a
	// tenth. Default 30s.
	Window time.Duration `yaml:"window"`
	// WindowCalls, if not 0, makes the rates look back on so many calls instead
	// of on Window. A breaker needs 4 bytes for each, and all processors share its
	// counters, which a window of time spares them. Default 0, at most 65536.
	WindowCalls int `yaml:"window_calls"`
	// ConsecutiveFailures is how many calls must fail in a row for the breaker
	// to open, whatever the rate. It serves where there are few calls. 0 switches
	// it off. Default 10.
	ConsecutiveFailures int `yaml:"consecutive_failures"`
	// SlowCall is the time until the response's headers from which on a call is
	// slow. Waiting in queues below is left out. 0 switches it off. Default 0.
	SlowCall time.Duration `yaml:"slow_call"`
	// SlowCallRate is the share of slow calls in the window, above 0 and up to 1,
	// at which the breaker opens. It has no effect while SlowCall is 0. Default 0.8.
	SlowCallRate float64 `yaml:"slow_call_rate"`
	// Failures are the verdicts that count as a failure: "failure", "busy",
	// "pushback", "exhausted". Default failure and busy.
	Failures []string `yaml:"failures"`

	// OpenFor is how long the breaker stays open the first time. The upstream's
	// Retry-After prolongs it. Default 5s.
	OpenFor time.Duration `yaml:"open_for"`
	// OpenGrowth is the factor by which the open time grows each time that the
	// breaker opens again. 1 is no growth. Default 2.
	OpenGrowth float64 `yaml:"open_growth"`
	// MaxOpenFor bounds the open time, grown or asked for by the upstream. An
	// opening sooner than this after a closing is an opening again. Default 1m.
	MaxOpenFor time.Duration `yaml:"max_open_for"`

	// Probes is how many requests at a time may go through while the breaker is
	// half-open. Default 1.
	Probes int `yaml:"probes"`
	// ProbeSuccesses is how many probes must succeed, with none failing, for the
	// breaker to close. Default 1.
	ProbeSuccesses int `yaml:"probe_successes"`
	// ProbeLease is how long a probe is waited for. After that another may go,
	// and the result of the first no longer matters. Default 30s.
	ProbeLease time.Duration `yaml:"probe_lease"`

	// Key chooses which requests share a breaker: "authority" (host and port),
	// "model" (that and the model that an LLM request names, see middleware.Model)
	// or "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys bounds the number of breakers. When all are in use, further keys
	// share one. It is read when the stage is made; Update does not change it.
	// Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// maxWindowCalls bounds what one breaker can need for its window: 256 KiB.
const maxWindowCalls = 1 << 16

// DefaultConfig opens at half of at least 20 calls within 30 seconds failed, or
// at 10 failures in a row, for 5 seconds up to a minute.
func DefaultConfig() Config {
	return Config{
		FailureRate:         0.5,
		MinCalls:            20,
		Window:              30 * time.Second,
		ConsecutiveFailures: 10,
		SlowCallRate:        0.8,
		Failures:            []string{middleware.Failure.String(), middleware.Busy.String()},
		OpenFor:             5 * time.Second,
		OpenGrowth:          2,
		MaxOpenFor:          time.Minute,
		Probes:              1,
		ProbeSuccesses:      1,
		ProbeLease:          30 * time.Second,
		Key:                 middleware.KeyAuthority,
		MaxKeys:             1024,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.FailureRate >= 0 && c.FailureRate <= 1, "failure_rate", "%v is not a share; it goes from 0 (off) to 1", c.FailureRate)
	p.Check(c.MinCalls >= 1, "min_calls", "%d is too small; 1 lets the first call decide", c.MinCalls)
	p.Check(c.Window >= time.Millisecond, "window", "%v is too short; write for example 30s", c.Window)
	p.Check(c.WindowCalls >= 0 && c.WindowCalls <= maxWindowCalls, "window_calls", "%d is out of range; it goes from 0 (off) to %d", c.WindowCalls, maxWindowCalls)
	p.Check(c.WindowCalls == 0 || c.WindowCalls >= c.MinCalls, "window_calls", "%d is fewer than min_calls, %d, so the breaker would never open", c.WindowCalls, c.MinCalls)
	p.Check(c.ConsecutiveFailures >= 0, "consecutive_failures", "%d is negative; 0 is off", c.ConsecutiveFailures)
	p.Check(c.SlowCall >= 0, "slow_call", "%v is negative; 0 is off", c.SlowCall)
	p.Check(c.SlowCall <= 0 || c.SlowCallRate > 0 && c.SlowCallRate <= 1, "slow_call_rate", "%v is not a share; it is above 0 and at most 1", c.SlowCallRate)
	p.Check(c.FailureRate != 0 || c.ConsecutiveFailures != 0 || c.SlowCall != 0, "failure_rate", "0, like consecutive_failures and slow_call: nothing would open the breaker; leave the stage out of the order")
	for _, name := range c.Failures {
		_, ok := countable[name]
		p.Check(ok, "failures", "%q can't count as a failure; these can: failure, busy, pushback, exhausted", name)
	}
	p.Check(len(c.Failures) > 0, "failures", "empty; write for example [%s]", strings.Join(DefaultConfig().Failures, ", "))
	p.Check(c.OpenFor > 0, "open_for", "%v is no time at all; write for example 5s", c.OpenFor)
	p.Check(c.OpenGrowth >= 1 && c.OpenGrowth <= 100, "open_growth", "%v is out of range; it goes from 1 (no growth) to 100", c.OpenGrowth)
	p.Check(c.MaxOpenFor >= c.OpenFor, "max_open_for", "%v is shorter than open_for, %v", c.MaxOpenFor, c.OpenFor)
	p.Check(c.Probes >= 1, "probes", "%d is too few; without a probe the breaker would never close", c.Probes)
	p.Check(c.ProbeSuccesses >= 1, "probe_successes", "%d is too few; 1 closes the breaker with the first success", c.ProbeSuccesses)
	p.Check(c.ProbeLease > 0, "probe_lease", "%v is no time at all; write for example 30s", c.ProbeLease)
	p.CheckKey("key", c.Key)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too few; 1 is the least", c.MaxKeys)
	return p.Err()
}
