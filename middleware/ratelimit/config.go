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
	// Units is a second budget, in units that a request takes more or less of:
	// tokens of a language model, bytes, points. Default none.
	Units UnitsConfig `yaml:"units"`
	// Queue is the number of requests that may wait; 0 refuses at once whoever
	// finds no token. Default 1024.
	Queue int `yaml:"queue"`
	// MaxWait is the longest time to wait for a token. Default 5s.
	MaxWait time.Duration `yaml:"max_wait"`
	// Ageing is what a level of priority is worth: a request waits as though
	// it gave up that much sooner for each level, but is not late before it
	// really is. 0 ignores priorities. Default 5s.
	Ageing time.Duration `yaml:"ageing"`
	// MaxPause bounds how long the upstream (a 429 with Retry-After, a learned
	// limit) can hold all requests back; 0 ignores what it asks for. Default 1m.
	MaxPause time.Duration `yaml:"max_pause"`
	// PauseOnBusy has a busy upstream (a 503 with Retry-After) pause everybody
	// too. Default false.
	PauseOnBusy bool `yaml:"pause_on_busy"`
	// Ramp is the time after a pause in which the rate comes back to what the
	// upstream was seen to accept, from half of that; then it goes on to
	// Requests. 0 goes on at the rate of Requests at once. Default 2s.
	Ramp time.Duration `yaml:"ramp"`
	// Learn reads the rate limits that responses tell in their header, and
	// keeps to them where they are lower. Default false.
	Learn bool `yaml:"learn"`
	// Key is which requests share a rate: "authority" (host and port),
	// "model" (that and the model that an LLM request names, see middleware.Model)
	// or "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys is the number of keys to keep a rate for. It cannot be changed in
	// use. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// UnitsConfig is a budget in units.
type UnitsConfig struct {
	// Limit is the number of units that may go in the time Per; 0 is no such
	// budget. Default 0.
	Limit int `yaml:"limit"`
	// Per is the time that Limit counts for. Default 1m.
	Per time.Duration `yaml:"per"`
	// Burst is the number of units that may go at once after a time without
	// any; 0 is as many as Limit. A request that takes more waits until all of
	// them are there. Default 0.
	Burst int `yaml:"burst"`
}

// DefaultConfig lets 100 requests a second go to each authority, 10 at once,
// and 1024 wait for at most 5 seconds.
func DefaultConfig() Config {
	return Config{
		Requests: 100,
		Per:      time.Second,
		Burst:    10,
		Units:    UnitsConfig{Per: time.Minute},
		Queue:    1024,
		MaxWait:  5 * time.Second,
		Ageing:   5 * time.Second,
		MaxPause: time.Minute,
		Ramp:     2 * time.Second,
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
	p.Check(c.Units.Limit >= 0 && c.Units.Limit <= maxUnits, "units.limit", "%d is out of range; it goes from 0 (no limit in units) to %d", c.Units.Limit, maxUnits)
	p.Check(c.Units.Per > 0 || c.Units.Limit == 0, "units.per", "%v is no time at all; write for example 1m", c.Units.Per)
	p.Check(c.Units.Burst >= 0 && c.Units.Burst <= maxUnits, "units.burst", "%d is out of range; it goes from 0 (as many as units.limit) to %d", c.Units.Burst, maxUnits)
	p.Check(c.Queue >= 0, "queue", "%d is negative; 0 means that nobody waits", c.Queue)
	p.Check(c.MaxWait > 0 || c.Queue == 0, "max_wait", "%v leaves no time to wait; write for example 5s, or queue: 0 if nobody shall wait", c.MaxWait)
	p.Check(c.Ageing >= 0 && c.Ageing <= time.Hour, "ageing", "%v is out of range; it goes from 0 (priorities are ignored) to 1h", c.Ageing)
	p.Check(c.MaxPause >= 0, "max_pause", "%v is negative; 0 ignores what the upstream asks for", c.MaxPause)
	p.Check(c.MaxPause != 0 || !c.Learn, "max_pause", "0 ignores what the upstream asks for, and so there is nothing to learn; write for example 1m, or learn: false")
	p.Check(c.Ramp == 0 || c.Ramp >= time.Millisecond, "ramp", "%v is too short; it must be at least 1ms, or 0 for none", c.Ramp)
	p.CheckKey("key", c.Key)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}

// maxUnits bounds a budget, and what a single request takes of it, so that sums
// of units do not overflow.
const maxUnits = 1_000_000_000_000

// rate is the number of requests a second.
func (c *Config) rate() float64 { return float64(c.Requests) / c.Per.Seconds() }

// on tells whether there is a budget in units.
func (c *UnitsConfig) on() bool { return c.Limit > 0 }

// rate is the number of units a second.
func (c *UnitsConfig) rate() float64 { return float64(c.Limit) / c.Per.Seconds() }

// burst is the number of units that the bucket holds.
func (c *UnitsConfig) burst() int {
	if c.Burst == 0 {
		return c.Limit
	}
	return c.Burst
}
