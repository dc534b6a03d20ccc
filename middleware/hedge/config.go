package hedge

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings. Budget and what is learned hold for each key.
type Config struct {
	// Delay is how long the first attempt has before a copy is sent, and each copy
	// before the next one. With a percentile it is the longest delay, and the one
	// that holds until there are enough samples. Default 1s.
	Delay time.Duration `yaml:"delay"`
	// Percentile makes the delay this quantile of the last 128 times until the
	// headers, from 0 to 1, but at most Delay; 0 is off. Default 0.95.
	Percentile float64 `yaml:"percentile"`
	// MinSamples is how many of these times there have to be, 1 to 128. Default 32.
	MinSamples int `yaml:"min_samples"`
	// MaxHedges is the number of copies of a request, the first attempt not
	// counted. Default 1.
	MaxHedges int `yaml:"max_hedges"`
	// Budget is the number of copies as a share of the requests that could have
	// had one, over the last BudgetWindow. Default 0.1.
	Budget float64 `yaml:"budget"`
	// BudgetFloor is the number of copies in BudgetWindow that are allowed however
	// few requests there are. Default 3.
	BudgetFloor int `yaml:"budget_floor"`
	// BudgetWindow is the time that the budget looks back on. Default 10s.
	BudgetWindow time.Duration `yaml:"budget_window"`
	// MaxInFlight bounds the copies in flight of all keys together, cancelled
	// ones that have not come back included. Default 128.
	MaxInFlight int `yaml:"max_in_flight"`
	// NonIdempotent allows copies of POST, PUT, DELETE and the like. The upstream
	// may process both. Default false.
	NonIdempotent bool `yaml:"non_idempotent"`
	// ReplayBuffer bounds what is kept of a request's body that has no GetBody; 0
	// keeps nothing. A longer one, or one of unknown length, is sent once.
	// Default 64KiB.
	ReplayBuffer middleware.Bytes `yaml:"replay_buffer"`
	// KeepResponse bounds what is read of a failed answer's body, so that it can
	// wait for the other attempt without holding its connection. A longer one of
	// the first attempt goes to the caller at once. Default 64KiB.
	KeepResponse middleware.Bytes `yaml:"keep_response"`
	// Pause is how long no copies are sent after the upstream pushed back (429) or
	// was busy (503, 529); longer if it asked for it. 0 is off. Default 10s.
	Pause time.Duration `yaml:"pause"`
	// MaxPause bounds what the upstream can ask for. Default 1m.
	MaxPause time.Duration `yaml:"max_pause"`
	// Key is which requests share a state: "authority" (host and port),
	// "model" (that and the model that an LLM request names, see middleware.Model)
	// or "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys is the number of keys to keep a state for. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

// DefaultConfig sends one copy after the 95th percentile, or after a second if
// that comes first, for at most every tenth request.
func DefaultConfig() Config {
	return Config{
		Delay:        time.Second,
		Percentile:   0.95,
		MinSamples:   32,
		MaxHedges:    1,
		Budget:       0.1,
		BudgetFloor:  3,
		BudgetWindow: 10 * time.Second,
		MaxInFlight:  128,
		ReplayBuffer: 64 * middleware.KiB,
		KeepResponse: 64 * middleware.KiB,
		Pause:        10 * time.Second,
		MaxPause:     time.Minute,
		Key:          middleware.KeyAuthority,
		MaxKeys:      1024,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.Delay > 0, "delay", "%v would send every request twice; write for example 1s", c.Delay)
	p.Check(c.Percentile >= 0 && c.Percentile < 1, "percentile", "%v is not a share below 1; write for example 0.95, or 0 for the delay alone", c.Percentile)
	p.Check(c.MinSamples >= 1 && c.MinSamples <= samples, "min_samples", "%d is out of range; it goes from 1 to %d", c.MinSamples, samples)
	p.Check(c.MaxHedges >= 1, "max_hedges", "%d copies are none; write 1, or leave the stage out of the order", c.MaxHedges)
	p.Check(c.Budget >= 0 && c.Budget <= 1, "budget", "%v is not a share; it goes from 0 (the floor alone) to 1", c.Budget)
	p.Check(c.BudgetFloor >= 0, "budget_floor", "%d is negative; 0 is no floor", c.BudgetFloor)
	p.Check(c.Budget != 0 || c.BudgetFloor != 0, "budget", "0 without a budget_floor never sends a copy; leave the stage out of the order")
	p.Check(c.BudgetWindow >= time.Millisecond, "budget_window", "%v is too short; write for example 10s", c.BudgetWindow)
	p.Check(c.MaxInFlight >= 1, "max_in_flight", "%d never sends a copy; it must be at least 1", c.MaxInFlight)
	p.Check(c.ReplayBuffer >= 0, "replay_buffer", "%d is negative; 0 keeps no body", c.ReplayBuffer)
	p.Check(c.KeepResponse >= 0, "keep_response", "%d is negative; 0 keeps no failed answer", c.KeepResponse)
	p.Check(c.Pause >= 0, "pause", "%v is negative; 0 ignores that the upstream pushes back", c.Pause)
	p.Check(c.MaxPause >= c.Pause, "max_pause", "%v is less than pause, %v", c.MaxPause, c.Pause)
	p.CheckKey("key", c.Key)
	p.Check(c.MaxKeys >= 1, "max_keys", "%d is too small; it must be at least 1", c.MaxKeys)
	return p.Err()
}
