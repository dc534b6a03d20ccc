// Package mystage stands for a stage of the reader's own.
package mystage

import "net/http"

// Config is the stage's settings.
type Config struct {
	Max int `yaml:"max"`
}

// DefaultConfig is where a configuration begins.
func DefaultConfig() Config { return Config{Max: 1} }

// Validate reports everything that is wrong.
func (Config) Validate() error { return nil }

// Stage is the stage.
type Stage struct{}

// New makes it.
func New(Config) (*Stage, error) { return &Stage{}, nil }

// Wrap is a middleware.Middleware.
func (*Stage) Wrap(next http.RoundTripper) http.RoundTripper { return next }
