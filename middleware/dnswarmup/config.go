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
}

// DefaultConfig warms no host until some are named, then two connections each, within 5 seconds.
func DefaultConfig() Config {
	return Config{Connections: 2, Timeout: 5 * time.Second, Parallel: 8}
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
	return p.Err()
}
