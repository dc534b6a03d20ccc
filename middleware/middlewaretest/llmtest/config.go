package llmtest

import (
	"errors"
	"fmt"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Config describes an LLM upstream.
type Config struct {
	// Turns are what happens to the requests, in the order of their arrival; the last one repeats. Those that
	// are refused as wrong count too. Without turns every request gets the reply "Hello." Default none.
	Turns []Turn `yaml:"-"`
	// CallHeader, if not empty, names a request header: requests with the same value of it are one call, and
	// each call begins with the first turn. Default "": all requests share the turns.
	CallHeader string `yaml:"call_header"`
	// Model is the only one that there is; asked for another the upstream answers 404. Default "": any.
	Model string `yaml:"model"`
	// MaxRequest bounds the body of a request; a larger one gets a 413. Default 4MiB.
	MaxRequest middleware.Bytes `yaml:"max_request"`
	// Server is the rest: capacity, queue, TLS, HTTP/2, records. Its Script and CallHeader are not used.
	Server middlewaretest.Config `yaml:"server"`
}

// DefaultConfig is an upstream without limits that says "Hello." to everybody.
func DefaultConfig() Config {
	return Config{MaxRequest: 4 * middleware.MiB, Server: middlewaretest.DefaultConfig()}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	if c.MaxRequest < 1 {
		errs = append(errs, fmt.Errorf("max_request: %d bytes, want at least 1; see DefaultConfig", c.MaxRequest))
	}
	for i, turn := range c.Turns {
		if turn == nil {
			errs = append(errs, fmt.Errorf("turns: number %d is nil, want a Turn", i+1))
		}
	}
	if c.Server.Script != nil {
		errs = append(errs, errors.New("server: it has a script, want the turns instead"))
	}
	if err := c.Server.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("server: %w", err))
	}
	return errors.Join(errs...)
}
