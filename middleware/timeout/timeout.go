package timeout

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// Timeout is the stage.
type Timeout struct {
	reporter middleware.Reporter
	bound    atomic.Pointer[bound]
	timedOut atomic.Uint64
	rejected atomic.Uint64
}

// Option is a collaborator of the stage.
type Option func(*Timeout)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(t *Timeout) { t.reporter = r }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*Timeout, error) {
	if err := middleware.Validate("timeout", cfg); err != nil {
		return nil, err
	}
	t := &Timeout{}
	for _, o := range opts {
		o(t)
	}
	t.reporter = t.reporter.Named("timeout")
	t.set(cfg)
	return t, nil
}

func (t *Timeout) set(cfg Config) {
	t.bound.Store(&bound{stage: t, err: Error{Stage: t.reporter.Stage, Limit: cfg.Limit, Until: cfg.Until}})
}

// Update changes the settings for the calls that begin from now on. An invalid
// configuration changes nothing.
func (t *Timeout) Update(cfg Config) error {
	if err := middleware.Validate(t.reporter.Stage, cfg); err != nil {
		return err
	}
	t.set(cfg)
	return nil
}

// Wrap is a middleware.Middleware.
func (t *Timeout) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return t.roundTrip(req, next)
	})
}

func (t *Timeout) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	now := time.Now()
	if deadline, ok := inner.Context().Deadline(); ok && !now.Before(deadline) {
		middleware.CloseBody(req)
		return nil, t.reject(ex)
	}
	b := t.bound.Load()
	switch b.err.Until {
	case UntilConnect:
		return b.connect(ex, inner, next, now)
	case UntilHeaders:
		return b.headers(ex, inner, next, now)
	case UntilBody:
		return b.body(ex, inner, next, now)
	}
	return b.silence(ex, inner, next, now)
}
