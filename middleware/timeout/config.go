package timeout

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// What a limit can bound.
const (
	// UntilHeaders bounds the time until the response's headers are there.
	UntilHeaders = "headers"
	// UntilBody bounds the time until the response's body has been read.
	UntilBody = "body"
)

// Config is the stage's settings.
type Config struct {
	// Limit is the time that the call or attempt may take. Default 30s.
	Limit time.Duration `yaml:"limit"`
	// Until is what the time is counted to: "headers" or "body". Default "body".
	Until string `yaml:"until"`
}

// DefaultConfig bounds everything, the body included, to 30 seconds.
func DefaultConfig() Config {
	return Config{Limit: 30 * time.Second, Until: UntilBody}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.Limit > 0, "limit", "%v is no time at all; write for example 30s, or leave the stage out of the order", c.Limit)
	p.Check(c.Until == UntilHeaders || c.Until == UntilBody, "until", "%q is unknown; it can be %q or %q", c.Until, UntilHeaders, UntilBody)
	return p.Err()
}
