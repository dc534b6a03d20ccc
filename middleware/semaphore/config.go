package semaphore

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
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
	// MaxConcurrent is the number of requests that may be with the upstream at
	// once, for each key. Default 32.
	MaxConcurrent int `yaml:"max_concurrent"`
	// Queue is the number of requests that may wait, for each key; 0 turns
	// away at once whoever finds no permit. Default 1024.
	Queue int `yaml:"queue"`
	// MaxWait is the longest time to wait for a permit. Default 5s.
	MaxWait time.Duration `yaml:"max_wait"`
	// Reserve is the time that a request must have left before its deadline
	// when it gets its permit. 0 learns it: the 95th percentile of the time
	// that permits are held. Default 0.
	Reserve time.Duration `yaml:"reserve"`
	// Release is when a permit ends: "body" or "headers". Default "body".
	Release string `yaml:"release"`
	// Key is which requests share the permits: "authority" (host and port) or
	// "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys is the number of keys to keep permits for. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// DefaultConfig lets 32 requests at a time go to each authority and 1024 wait
// for at most 5 seconds.
func DefaultConfig() Config {
	return Config{
		MaxConcurrent: 32,
		Queue:         1024,
		MaxWait:       5 * time.Second,
		Release:       ReleaseBody,
		Key:           middleware.KeyAuthority,
		MaxKeys:       1024,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.MaxConcurrent >= 1, "max_concurrent", "%d lets nobody through; it must be at least 1", c.MaxConcurrent)
	p.Check(c.Queue >= 0, "queue", "%d is negative; 0 means that nobody waits", c.Queue)
	p.Check(c.MaxWait > 0 || c.Queue == 0, "max_wait", "%v leaves no time to wait; write for example 5s, or queue: 0 if nobody shall wait", c.MaxWait)
	p.Check(c.Reserve >= 0, "reserve", "%v is negative; 0 learns it", c.Reserve)
	p.Check(c.Release == ReleaseBody || c.Release == ReleaseHeaders, "release", "%q is unknown; it can be %q or %q", c.Release, ReleaseBody, ReleaseHeaders)
	p.Check(middleware.KeyByName(c.Key) != nil, "key", "%q is unknown; it can be %q or %q", c.Key, middleware.KeyAuthority, middleware.KeyShared)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}
