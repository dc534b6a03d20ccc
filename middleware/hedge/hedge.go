package hedge

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/crew"
	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

// Hedge is the stage.
type Hedge struct {
	settings  atomic.Pointer[Config]
	reporter  middleware.Reporter
	key       middleware.KeyFunc
	upstreams *keyed.Map[upstream]
	epoch     time.Time
	crew      crew.Crew // runs the copies
	races     sync.Pool // of *race, so that a timer costs no allocation
}

// Option is a collaborator of the stage.
type Option func(*Hedge)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(h *Hedge) { h.reporter = r }
}

// WithKey chooses by a function which requests share a state; it takes the place
// of the key setting.
func WithKey(key middleware.KeyFunc) Option {
	return func(h *Hedge) { h.key = key }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*Hedge, error) {
	if err := middleware.Validate("hedge", cfg); err != nil {
		return nil, err
	}
	h := &Hedge{key: middleware.KeyByName(cfg.Key), epoch: time.Now()}
	for _, o := range opts {
		o(h)
	}
	h.reporter = h.reporter.Named("hedge")
	h.settings.Store(&cfg)
	h.races.New = func() any { return newRace(h) }
	h.upstreams = keyed.New(cfg.MaxKeys,
		func(key string) *upstream { return &upstream{key: key} },
		func(u *upstream) bool { return u.idle(h.now(), h.settings.Load().BudgetWindow) })
	return h, nil
}

// Update changes the settings for the calls that begin from now on. What was
// learned and counted is kept, but another budget_window counts anew. The key and
// the number of keys stay as they were made. An invalid configuration changes nothing.
func (h *Hedge) Update(cfg Config) error {
	if err := middleware.Validate(h.reporter.Stage, cfg); err != nil {
		return err
	}
	h.settings.Store(&cfg)
	return nil
}

// Stop sends no more copies, for good, and waits until those that are in flight
// have come back, cancelled ones included. Calls go on without copies. The
// error is that of ctx, if it ends first.
func (h *Hedge) Stop(ctx context.Context) error {
	h.crew.Stop()
	return h.crew.Wait(ctx)
}

// Wrap is a middleware.Middleware.
func (h *Hedge) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return h.roundTrip(req, next)
	})
}

func (h *Hedge) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	cfg, u := h.settings.Load(), h.upstreams.Get(h.key(req))
	if !repeatable(ex, inner, cfg) {
		resp, err = next.RoundTrip(inner)
		h.pushback(ex, u, cfg, ex.Outcome(resp, err))
		return resp, err
	}
	r := h.races.Get().(*race)
	r.call = call{cfg: cfg, upstream: u, ex: ex, req: inner, next: next}
	return r.run()
}

// pushback stops the copies for a while if the answer asks for it.
func (h *Hedge) pushback(ex *middleware.Exchange, u *upstream, cfg *Config, o middleware.Outcome) {
	if o.Verdict != middleware.Pushback && o.Verdict != middleware.Busy || cfg.Pause == 0 {
		return
	}
	pause := max(cfg.Pause, min(o.RetryAfter, cfg.MaxPause))
	if u.pause(h.now(), pause) {
		h.reporter.Report(ex, middleware.Event{
			Kind: EventPaused, Key: u.key, Attempt: ex.Attempt(), Outcome: o, Wait: pause,
		})
	}
}

// now is a clock that is cheaper to read and to keep than time.Now.
func (h *Hedge) now() time.Duration { return time.Since(h.epoch) }
