package tiered

import (
	"slices"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the settings of a [Store].
type Config struct {
	// Tiers are the names of the stores, the fastest first, each once. It has no default.
	Tiers []string `yaml:"tiers"`
	// Timeout bounds each read, write and delete on one tier; memory is not timed. Default 250ms.
	Timeout time.Duration `yaml:"timeout"`
	// Failures is after how many failed reads, or late writes, in a row a tier is skipped. Default 3.
	Failures int `yaml:"failures"`
	// SkipFor is how long it is skipped before it is tried again. Default 10s.
	SkipFor time.Duration `yaml:"skip_for"`
	// MaxOwed bounds the keys and tags noted for a tier that missed their deletion; with more it is cleared as a whole
	// before it is used again. Default 10000.
	MaxOwed int `yaml:"max_owed"`
}

// DefaultConfig has no tiers yet.
func DefaultConfig() Config {
	return Config{Timeout: 250 * time.Millisecond, Failures: 3, SkipFor: 10 * time.Second, MaxOwed: 10_000}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(len(c.Tiers) > 0, "tiers", "it is empty; write for example [memory, disk]")
	for i, name := range c.Tiers {
		p.Check(name != "", "tiers", "one of the names is empty")
		p.Check(!slices.Contains(c.Tiers[:i], name), "tiers", "%q stands twice", name)
	}
	p.Check(c.Timeout > 0, "timeout", "%v is no time at all; write for example 250ms", c.Timeout)
	p.Check(c.Failures > 0, "failures", "%d is too small; 1 skips a tier after its first failure", c.Failures)
	p.Check(c.SkipFor > 0, "skip_for", "%v is no time at all; write for example 10s", c.SkipFor)
	p.Check(c.MaxOwed > 0, "max_owed", "%d is too small; write for example 10000", c.MaxOwed)
	return p.Err()
}
