package ratelimit

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings. All but key and max_keys hold for each key.
type Config struct {
	// Requests is the number of requests that may go in the time Per.
	// Default 100.
	Requests int `yaml:"requests"`
	// Per is the time that Requests counts for. Default 1s.
	Per time.Duration `yaml:"per"`
	// Burst is the number of requests that may go at once after a time without
	// any. Default 10.
	Burst int `yaml:"burst"`
	// Queue is the number of requests that may wait; 0 refuses at once whoever
	// finds no token. Default 1024.
	Queue int `yaml:"queue"`
	// MaxWait is the longest time to wait for a token. Default 5s.
	MaxWait time.Duration `yaml:"max_wait"`
	// MaxPause bounds how long a hint of the upstream (a 429 with Retry-After)
	// can hold all requests back; 0 ignores such hints. Default 1m.
	MaxPause time.Duration `yaml:"max_pause"`
	// Key is which requests share a rate: "authority" (host and port) or
	// "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys is the number of keys to keep a rate for. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// DefaultConfig lets 100 requests a second go to each authority, 10 at once,
// and 1024 wait for at most 5 seconds.
func DefaultConfig() Config {
	return Config{
		Requests: 100,
		Per:      time.Second,
		Burst:    10,
		Queue:    1024,
		MaxWait:  5 * time.Second,
		MaxPause: time.Minute,
		Key:      middleware.KeyAuthority,
		MaxKeys:  1024,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.Requests >= 1, "requests", "%d lets nobody through; it must be at least 1 (a slower rate has a longer per)", c.Requests)
	p.Check(c.Per > 0, "per", "%v is no time at all; write for example 1s or 1m", c.Per)
	p.Check(c.Burst >= 1, "burst", "%d lets nobody through; it must be at least 1, which spaces all requests evenly", c.Burst)
	p.Check(c.Queue >= 0, "queue", "%d is negative; 0 means that nobody waits", c.Queue)
	p.Check(c.MaxWait > 0 || c.Queue == 0, "max_wait", "%v leaves no time to wait; write for example 5s, or queue: 0 if nobody shall wait", c.MaxWait)
	p.Check(c.MaxPause >= 0, "max_pause", "%v is negative; 0 ignores what the upstream asks for", c.MaxPause)
	p.Check(middleware.KeyByName(c.Key) != nil, "key", "%q is unknown; it can be %q or %q", c.Key, middleware.KeyAuthority, middleware.KeyShared)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}

// rate is the number of tokens a second.
func (c *Config) rate() float64 { return float64(c.Requests) / c.Per.Seconds() }
