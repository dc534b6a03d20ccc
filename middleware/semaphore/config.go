package semaphore

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// How the number of permits is found.
const (
	// LimitAdaptive finds it by how the upstream answers.
	LimitAdaptive = "adaptive"
	// LimitFixed is max_concurrent.
	LimitFixed = "fixed"
)

// When a permit ends.
const (
	// ReleaseBody holds it until the response's body ends.
	ReleaseBody = "body"
	// ReleaseHeaders holds it until the response's headers are there.
	ReleaseHeaders = "headers"
)

// Config is the stage's settings.
type Config struct {
	// Limit is how the number of permits is found: "fixed" is max_concurrent,
	// "adaptive" finds it. Default "fixed".
	Limit string `yaml:"limit"`
	// MaxConcurrent is the number of requests that may be with the upstream at
	// once, for each key: the limit if it is fixed, else its upper bound.
	// Default 32.
	MaxConcurrent int `yaml:"max_concurrent"`
	// MinConcurrent is the lower bound of an adaptive limit. Default 1.
	MinConcurrent int `yaml:"min_concurrent"`
	// InitialConcurrent is what an adaptive limit begins with, within its
	// bounds. Default 10.
	InitialConcurrent int `yaml:"initial_concurrent"`
	// LearnLimit reads an adaptive limit's upper bound from what the upstream
	// says in a 429, where it says "concurrency limit of 30" or the like. At
	// most 4 KiB of the body are read for that, before the response goes on.
	// Default true.
	LearnLimit bool `yaml:"learn_limit"`
	// Queue is the number of requests that may wait, for each key; 0 turns
	// away at once whoever finds no permit. Default 1024.
	Queue int `yaml:"queue"`
	// MaxWait is the longest time to wait for a permit. Default 5s.
	MaxWait time.Duration `yaml:"max_wait"`
	// TargetWait is the delay above which, among requests without a deadline,
	// the newest go first and the oldest are shed; 0 lets all of them wait in
	// the order of arrival until max_wait. Default 0.
	TargetWait time.Duration `yaml:"target_wait"`
	// Ageing is what a level of priority is worth: a request waits as though
	// its deadline was that much sooner for each level. Default 5s.
	Ageing time.Duration `yaml:"ageing"`
	// Reserve is the time that a request must have left before its deadline
	// when it gets its permit. 0 learns it: the 99th percentile of the time
	// that permits are held. Default 0.
	Reserve time.Duration `yaml:"reserve"`
	// Release is when a permit ends: "body" or "headers". Default "body".
	Release string `yaml:"release"`
	// Key is which requests share the permits: "authority" (host and port),
	// "model" (that and the model that an LLM request names, see middleware.Model)
	// or "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys is the number of keys to keep permits for. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// DefaultConfig lets 32 requests at a time go to each authority and 1024 wait
// for at most 5 seconds.
func DefaultConfig() Config {
	return Config{
		Limit:             LimitFixed,
		MaxConcurrent:     32,
		MinConcurrent:     1,
		InitialConcurrent: 10,
		LearnLimit:        true,
		Queue:             1024,
		MaxWait:           5 * time.Second,
		Ageing:            5 * time.Second,
		Release:           ReleaseBody,
		Key:               middleware.KeyAuthority,
		MaxKeys:           1024,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	adaptive := c.Limit == LimitAdaptive
	p.Check(adaptive || c.Limit == LimitFixed, "limit", "%q is unknown; it can be %q or %q", c.Limit, LimitAdaptive, LimitFixed)
	p.Check(c.MaxConcurrent >= 1, "max_concurrent", "%d lets nobody through; it must be at least 1", c.MaxConcurrent)
	p.Check(!adaptive || c.MinConcurrent >= 1, "min_concurrent", "%d lets nobody through; it must be at least 1", c.MinConcurrent)
	p.Check(!adaptive || c.MinConcurrent <= max(1, c.MaxConcurrent), "min_concurrent", "%d is more than max_concurrent, %d", c.MinConcurrent, c.MaxConcurrent)
	p.Check(!adaptive || c.InitialConcurrent >= 1, "initial_concurrent", "%d lets nobody through; it must be at least 1", c.InitialConcurrent)
	p.Check(c.Queue >= 0, "queue", "%d is negative; 0 means that nobody waits", c.Queue)
	p.Check(c.MaxWait > 0 || c.Queue == 0, "max_wait", "%v leaves no time to wait; write for example 5s, or queue: 0 if nobody shall wait", c.MaxWait)
	p.Check(c.TargetWait >= 0, "target_wait", "%v is negative; 0 sheds nobody before max_wait", c.TargetWait)
	p.Check(c.Ageing >= 0, "ageing", "%v is negative; 0 ignores priorities between deadlines", c.Ageing)
	p.Check(c.Reserve >= 0, "reserve", "%v is negative; 0 learns it", c.Reserve)
	p.Check(c.Release == ReleaseBody || c.Release == ReleaseHeaders, "release", "%q is unknown; it can be %q or %q", c.Release, ReleaseBody, ReleaseHeaders)
	p.CheckKey("key", c.Key)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}

func (c Config) bounds() bounds {
	return bounds{min: float64(c.MinConcurrent), max: float64(c.MaxConcurrent), initial: float64(c.InitialConcurrent)}
}
