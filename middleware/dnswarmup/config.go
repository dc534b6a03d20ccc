package dnswarmup

import (
	"fmt"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Config is the stage's settings.
type Config struct {
	// Hosts are warmed at the start: "api.example.com", "api.example.com:8443" or,
	// for a scheme other than https, "http://api.example.com". Default none: there
	// is nothing to do.
	Hosts []string `yaml:"hosts"`
	// Connections is the number of connections to open to each host; 0 resolves
	// its name only. An HTTP/2 host gets one, which is all it needs. Default 2.
	Connections int `yaml:"connections"`
	// Timeout bounds the warm-up of all hosts together. Default 5s.
	Timeout time.Duration `yaml:"timeout"`
	// Parallel is the number of hosts that are warmed at once. Default 8.
	Parallel int `yaml:"parallel"`
	// Required makes Start fail if a host can't be warmed. Default false: that is
	// an event, and the application starts.
	Required bool `yaml:"required"`
	// KeepEvery is how often the hosts are looked at after the start: connections that
	// were closed in the meantime, as idle ones are, are opened again. Default 15s;
	// 0 warms at the start only.
	KeepEvery time.Duration `yaml:"keep_every"`
	// Learn also warms the hosts that requests go to, from the first one on. It
	// can't be changed in use. Default false.
	Learn bool `yaml:"learn"`
	// MaxLearned bounds the hosts that are learned; further ones are not, until one
	// is forgotten. Default 32.
	MaxLearned int `yaml:"max_learned"`
	// ForgetAfter is how long a learned host is kept warm without a request.
	// Default 10m.
	ForgetAfter time.Duration `yaml:"forget_after"`
	// Optional has the stage do nothing over a base that can't warm connections.
	// Default false: that is an error.
	Optional bool `yaml:"optional"`
}

// DefaultConfig warms no host until some are named, then two connections each, within
// 5 seconds, and keeps them warm.
func DefaultConfig() Config {
	return Config{
		Connections: 2, Timeout: 5 * time.Second, Parallel: 8,
		KeepEvery: 15 * time.Second, MaxLearned: 32, ForgetAfter: 10 * time.Minute,
	}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	first := make(map[string]int)
	for i, host := range c.Hosts {
		key := fmt.Sprintf("hosts[%d]", i)
		target, problem := parseHost(host)
		if problem != "" {
			p.Check(false, key, "%s", problem)
			continue
		}
		j, twice := first[target]
		p.Check(!twice, key, "%q is the same host as hosts[%d]; name it once", host, j)
		if !twice {
			first[target] = i
		}
	}
	p.Check(c.Connections >= 0, "connections", "%d is negative; 0 resolves the names only", c.Connections)
	p.Check(c.Timeout > 0, "timeout", "%v leaves no time; write for example 5s", c.Timeout)
	p.Check(c.Parallel >= 1, "parallel", "%d would never begin; it must be at least 1", c.Parallel)
	p.Check(c.KeepEvery >= 0, "keep_every", "%v is negative; 0 warms at the start only", c.KeepEvery)
	p.Check(!c.Learn || c.KeepEvery > 0, "learn", "true has no effect with keep_every: 0; write for example keep_every: 15s")
	p.Check(c.MaxLearned >= 1, "max_learned", "%d leaves no room; it must be at least 1", c.MaxLearned)
	p.Check(c.ForgetAfter > 0, "forget_after", "%v would forget at once; write for example 10m", c.ForgetAfter)
	return p.Err()
}
