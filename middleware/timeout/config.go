package timeout

import (
	"slices"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// What a limit can bound.
const (
	// UntilConnect bounds the time until there is a connection, a new one or one
	// that is used again: lookup, dial, TLS handshake, and the wait for one of
	// those that the transport allows.
	UntilConnect = "connect"
	// UntilHeaders bounds the time until the response's headers are there.
	UntilHeaders = "headers"
	// UntilContent bounds the time until the first content of the response's
	// body is there.
	UntilContent = "content"
	// UntilProgress bounds every silence of the body: from the headers to the
	// first content, and from each to the next.
	UntilProgress = "progress"
	// UntilBody bounds the time until the response's body has been read.
	UntilBody = "body"
)

// untils are in the order of a call's way; progress has no place in it.
var untils = [...]string{UntilConnect, UntilHeaders, UntilContent, UntilBody, UntilProgress}

// Config is the stage's settings.
type Config struct {
	// Limit is the time that there is. Default 30s.
	Limit time.Duration `yaml:"limit"`
	// Until is what it is counted to: "connect", "headers", "content", "body" or,
	// again and again while the body is read, "progress". Default "body".
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
	p.Check(slices.Contains(untils[:], c.Until), "until", "%q is unknown; it can be one of %s", c.Until, strings.Join(untils[:], ", "))
	return p.Err()
}

// Reachable tells whether the limit c can ever be reached within outer, a limit
// of a stage further out: not if that one always ends first.
func (c Config) Reachable(outer Config) bool {
	switch {
	case c.Limit <= outer.Limit:
		return true
	case c.Until == UntilProgress:
		return outer.Until != UntilProgress && outer.Until != UntilBody
	case outer.Until == UntilProgress:
		return true
	}
	return slices.Index(untils[:], c.Until) > slices.Index(untils[:], outer.Until)
}
