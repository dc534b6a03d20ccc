package retry

import (
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
)

// Retry is the stage.
type Retry struct {
	settings atomic.Pointer[Config]
	reporter middleware.Reporter

	attempts, retries, recovered, gaveUp atomic.Uint64
}

// Option is a collaborator of the stage.
type Option func(*Retry)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(s *Retry) { s.reporter = r }
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
	r.settings.Store(&cfg)
	return r, nil
}

// Update changes the settings for the calls that begin from now on. An invalid
// configuration changes nothing.
func (r *Retry) Update(cfg Config) error {
	if err := middleware.Validate(r.reporter.Stage, cfg); err != nil {
		return err
	}
	r.settings.Store(&cfg)
	return nil
}

// Stats is a snapshot of what the stage did.
type Stats struct {
	Attempts  uint64 `json:"attempts"`  // all, the first ones included
	Retries   uint64 `json:"retries"`   // further attempts
	Recovered uint64 `json:"recovered"` // calls that a retry saved
	GaveUp    uint64 `json:"gave_up"`   // calls whose last attempt failed
}

// Stats is a snapshot.
func (r *Retry) Stats() Stats {
	return Stats{
		Attempts: r.attempts.Load(), Retries: r.retries.Load(),
		Recovered: r.recovered.Load(), GaveUp: r.gaveUp.Load(),
	}
}

// Wrap is a middleware.Middleware.
func (r *Retry) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return r.roundTrip(req, next)
	})
}

func (r *Retry) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	cfg := r.settings.Load()
	c := call{r: r, cfg: cfg, ex: ex, req: inner, next: next, replay: middleware.NewReplay(inner, cfg.ReplayBuffer)}
	defer c.replay.Release()
	return c.run()
}
