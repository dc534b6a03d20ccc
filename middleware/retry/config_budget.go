package retry

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// BudgetConfig bounds the retries of all calls together. At any time there may
// have been as many within the window as Share of the calls in it, and
// MinPerSecond where that is more. So while everything fails, each call makes
// 1 + Share requests upstream, or 1 + MinPerSecond / rate at a low rate.
type BudgetConfig struct {
	// Enabled is false for no budget: only max_attempts bounds the retries then.
	// Default true.
	Enabled bool `yaml:"enabled"`
	// Share is the number of retries for each call, above 0; 0.2 is one retry for
	// five calls. Default 0.2.
	Share float64 `yaml:"share"`
	// MinPerSecond is the number of retries per second that are always allowed,
	// for clients with few calls; 0 is none. Default 3.
	MinPerSecond float64 `yaml:"min_per_second"`
	// Window is the time that calls and retries count. It slides in steps of a
	// tenth. Default 10s; from 1s to 10m.
	Window time.Duration `yaml:"window"`
	// Key chooses which requests share a budget: "authority" (host and port),
	// "model" (that and the model that an LLM request names, see middleware.Model)
	// or "shared" (all). Default "authority".
	Key string `yaml:"key"`
	// MaxKeys bounds the number of budgets. When all are in use, further keys
	// share one. Default 1024.
	MaxKeys int `yaml:"max_keys"`
}

func (c BudgetConfig) check(p *middleware.Problems) {
	if !c.Enabled {
		return
	}
	p.Check(c.Share >= 0 && c.Share <= 100, "budget.share", "%v is no number of retries for each call; write for example 0.2", c.Share)
	p.Check(c.MinPerSecond >= 0 && c.MinPerSecond <= 1e6, "budget.min_per_second", "%v is out of range; it goes from 0 (none) to 1000000", c.MinPerSecond)
	p.Check(c.Share > 0 || c.MinPerSecond > 0, "budget.share", "0, like budget.min_per_second, would never allow a retry; max_attempts: 1 says that")
	p.Check(c.Window >= time.Second && c.Window <= 10*time.Minute, "budget.window", "%v is out of range; it goes from 1s to 10m", c.Window)
	p.CheckKey("budget.key", c.Key)
	p.Check(c.MaxKeys >= 1, "budget.max_keys", "%d is too few; 1 is the least", c.MaxKeys)
}

// allowed is the number of retries that there may be within a window with so many calls.
func (c *BudgetConfig) allowed(calls float64) int {
	return int(max(c.Share*calls, c.MinPerSecond*c.Window.Seconds()) + rounding)
}
