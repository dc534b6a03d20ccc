package retry

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings.
type Config struct {
	// MaxAttempts is the number of attempts for a call, the first one included; 1
	// means no retry. A call that passes again on its way to another upstream, sent
	// there by a fallback, goes on counting, and gets at least one. Default 3.
	MaxAttempts int `yaml:"max_attempts"`
	// BaseDelay is the backoff before the second attempt; it doubles with each
	// further one. Default 200ms.
	BaseDelay time.Duration `yaml:"base_delay"`
	// MaxDelay bounds the backoff. Default 10s.
	MaxDelay time.Duration `yaml:"max_delay"`
	// Jitter is the random share of a backoff, from 0 (none) to 1 (all of it), so
	// that clients which failed together do not come back together. Default 0.5.
	Jitter float64 `yaml:"jitter"`
	// MaxRetryAfter is the longest wait that an upstream can ask for. Asked for
	// more, the stage does not wait at all and returns the response. Default 1m.
	MaxRetryAfter time.Duration `yaml:"max_retry_after"`
	// NonIdempotent allows to repeat POST, PATCH and the like even where the
	// upstream may have processed them. Default false.
	NonIdempotent bool `yaml:"non_idempotent"`
	// IdempotencyKey adds a random Idempotency-Key to POST, PATCH and the like that
	// have none, the same for all attempts of a call, which makes them repeatable.
	// It helps only with an upstream that knows the field. Default false.
	IdempotencyKey bool `yaml:"idempotency_key"`
	// AdviseCaller sets X-Should-Retry: false on the response with which the stage
	// gives up, so that an SDK above does not multiply the attempts, and on one that
	// says that a quota or a payment is missing. Default true.
	AdviseCaller bool `yaml:"advise_caller"`
	// MinTime is the time that must be left to the deadline after a backoff for
	// another attempt to be of use; 0 is any time at all. Default 0.
	MinTime time.Duration `yaml:"min_time"`
	// ReplayBuffer bounds what is kept of a request's body that has no GetBody,
	// to send it again; 0 keeps nothing. What is larger is sent once. Default 64KiB.
	ReplayBuffer middleware.Bytes `yaml:"replay_buffer"`
	// KeepResponse bounds what is read of a failed attempt's body, so that its
	// connection can be used again and the response can be returned if nothing
	// better comes; 0 reads nothing. Default 64KiB.
	KeepResponse middleware.Bytes `yaml:"keep_response"`
	// KeepTime bounds how long that reading may take. Default 1s.
	KeepTime time.Duration `yaml:"keep_time"`
	// Budget bounds the retries of all calls together.
	Budget BudgetConfig `yaml:"budget"`
}

// DefaultConfig makes up to three attempts, with 200 ms and 400 ms between them, half of that random, while
// the retries are at most a fifth of the calls.
func DefaultConfig() Config {
	return Config{
		MaxAttempts:   3,
		BaseDelay:     200 * time.Millisecond,
		MaxDelay:      10 * time.Second,
		Jitter:        0.5,
		MaxRetryAfter: time.Minute,
		AdviseCaller:  true,
		ReplayBuffer:  64 * middleware.KiB,
		KeepResponse:  64 * middleware.KiB,
		KeepTime:      time.Second,
		Budget: BudgetConfig{
			Enabled:      true,
			Share:        0.2,
			MinPerSecond: 3,
			Window:       10 * time.Second,
			Key:          middleware.KeyAuthority,
			MaxKeys:      1024,
		},
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.MaxAttempts >= 1, "max_attempts", "%d attempts are none; 1 means no retry", c.MaxAttempts)
	p.Check(c.BaseDelay > 0, "base_delay", "%v would repeat at once; write for example 200ms", c.BaseDelay)
	p.Check(c.MaxDelay >= c.BaseDelay, "max_delay", "%v is less than base_delay, %v", c.MaxDelay, c.BaseDelay)
	p.Check(c.Jitter >= 0 && c.Jitter <= 1, "jitter", "%v is not a share; it goes from 0 to 1", c.Jitter)
	p.Check(c.MaxRetryAfter >= 0, "max_retry_after", "%v is negative; 0 means never to wait for an upstream", c.MaxRetryAfter)
	p.Check(c.MinTime >= 0, "min_time", "%v is negative; 0 is any time at all", c.MinTime)
	p.Check(c.ReplayBuffer >= 0, "replay_buffer", "%d is negative; 0 keeps no body", c.ReplayBuffer)
	p.Check(c.KeepResponse >= 0, "keep_response", "%d is negative; 0 reads nothing", c.KeepResponse)
	p.Check(c.KeepTime > 0, "keep_time", "%v leaves no time to read; write for example 1s", c.KeepTime)
	c.Budget.check(&p)
	return p.Err()
}
