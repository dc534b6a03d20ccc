package fallback

import (
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Stale is the last good answer to the same request, from a cache further in.
type Stale struct {
	// MaxAge is how old the answer may be, counted from when the upstream gave it. No default.
	MaxAge time.Duration `yaml:"max_age"`
}

// staleName is the answer's name, in configuration and in Headgate-Fallback.
const staleName = "stale"

func (s *Stale) validate(p *middleware.Problems, key string) {
	p.Check(s.MaxAge > 0, key+".max_age", "%v is no time at all; write for example 24h", s.MaxAge)
}

// WithStaleSource says where the answer stale comes from: a cache further in, as
// httpcache.Cache is one. Package pipeline does it.
func WithStaleSource(s middleware.StaleSource) Option {
	return func(f *Fallback) { f.stale = s }
}

// staleAnswer is a Stale with its source.
type staleAnswer struct {
	source middleware.StaleSource
	maxAge time.Duration
}

// Answer asks the source.
func (a staleAnswer) Answer(req *http.Request, _ Failure) (*http.Response, error) {
	if resp, ok := a.source.Stale(req, a.maxAge); ok {
		return resp, nil
	}
	return nil, ErrNoStale
}

// Needs asks for the body, which may be the key of what is stored.
func (staleAnswer) Needs() Needs { return Needs{Body: true} }

// NeedsStale tells whether the configuration has an answer that needs a StaleSource.
func (c Config) NeedsStale() bool {
	for _, a := range c.Answers {
		if a.Stale != nil {
			return true
		}
	}
	return false
}
