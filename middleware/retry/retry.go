package retry

import (
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events.
const (
	// EventRetrying: an attempt failed and another one follows. Wait is the delay, Outcome what it meant.
	EventRetrying = "retrying"
	// EventRecovered: a later attempt succeeded. Attempt is which.
	EventRecovered = "recovered"
	// EventGaveUp: a failed attempt was the last one. Err says why.
	EventGaveUp = "gave_up"
	// EventNested: the call is an attempt of another retry stage, so it passed through.
	EventNested = "nested"
)

// Retry is the stage.
type Retry struct {
	settings atomic.Pointer[settings]
	reporter middleware.Reporter
	keyOf    middleware.KeyFunc // nil for the one that the settings name

	attempts, retries, recovered, gaveUp, outOfBudget, outer, nested atomic.Uint64
}

// Option is a collaborator of the stage.
type Option func(*Retry)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(s *Retry) { s.reporter = r }
}

// WithKey says which requests share a budget, instead of budget.key.
func WithKey(key middleware.KeyFunc) Option {
	return func(s *Retry) { s.keyOf = key }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*Retry, error) {
	if err := middleware.Validate("retry", cfg); err != nil {
		return nil, err
	}
	r := &Retry{}
	for _, o := range opts {
		o(r)
	}
	r.reporter = r.reporter.Named("retry")
	r.settings.Store(r.settle(cfg))
	return r, nil
}

// Update changes the settings for the calls that begin from now on. An invalid
// configuration changes nothing. The budgets stay, unless their window, key or
// max_keys change. It is not for concurrent use with itself.
func (r *Retry) Update(cfg Config) error {
	if err := middleware.Validate(r.reporter.Stage, cfg); err != nil {
		return err
	}
	r.settings.Store(r.settle(cfg))
	return nil
}

// Wrap is a middleware.Middleware.
func (r *Retry) Wrap(next http.RoundTripper) http.RoundTripper {
	// Used alone, the stage makes the exchange as a chain does: with room for the first attempt.
	alone := middleware.Chain(next, r.stage)
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		if middleware.FromContext(req.Context()) == nil {
			return alone.RoundTrip(req)
		}
		return r.roundTrip(req, next)
	})
}

func (r *Retry) stage(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) { return r.roundTrip(req, next) })
}

func (r *Retry) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)
	if ex.Repeated() || nested(req.Context()) {
		return r.passThrough(ex, inner, next)
	}
	c := call{r: r, cfg: r.settings.Load(), ex: ex, req: inner, next: next}
	c.begin()
	defer c.end()
	return c.run()
}

// passThrough leaves the retries to the stage further out: its attempts times
// the own ones would be too many, and it reads this answer as the upstream's.
func (r *Retry) passThrough(ex *middleware.Exchange, req *http.Request, next http.RoundTripper) (*http.Response, error) {
	r.nested.Add(1)
	if r.reporter.Enabled() {
		r.reporter.Report(ex, middleware.Event{Kind: EventNested, Level: slog.LevelDebug, Key: middleware.Authority(req)})
	}
	return next.RoundTrip(req)
}
