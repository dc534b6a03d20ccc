package semaphore

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

// The kinds of the stage's events.
const (
	// EventQueued: a request had to wait for its permit and got it. Wait is how long.
	EventQueued = "queued"
	// EventRejected: a request was refused. Err says why, Wait how long it had waited.
	EventRejected = "rejected"
	// EventLimitChanged: an adaptive limit is another one. It is told at most
	// once in a second for each key; the attributes from and limit say what it
	// was when it was last told, and what it is.
	EventLimitChanged = "limit_changed"
)

// Semaphore is the stage.
type Semaphore struct {
	settings atomic.Pointer[settings]
	reporter middleware.Reporter
	key      middleware.KeyFunc
	tenant   middleware.KeyFunc
	gates    *keyed.Map[gate]
}

// settings are what a request and a gate look at.
type settings struct {
	Config
	adaptive bool
	tenant   middleware.KeyFunc
	reporter middleware.Reporter
}

// Option is a collaborator of the stage.
type Option func(*Semaphore)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(s *Semaphore) { s.reporter = r }
}

// WithKey chooses by a function which requests share the permits; it takes the
// place of the key setting.
func WithKey(key middleware.KeyFunc) Option {
	return func(s *Semaphore) { s.key = key }
}

// WithTenant tells by a function on whose behalf a request is made. Among
// requests of the same priority tenants take turns, however many each of them
// has waiting, and in a full queue it is the tenant with the most that makes
// room. At most queue tenants are remembered: those that have a request waiting.
func WithTenant(tenant middleware.KeyFunc) Option {
	return func(s *Semaphore) { s.tenant = tenant }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*Semaphore, error) {
	if err := middleware.Validate("semaphore", cfg); err != nil {
		return nil, err
	}
	s := &Semaphore{key: middleware.KeyByName(cfg.Key)}
	for _, o := range opts {
		o(s)
	}
	s.reporter = s.reporter.Named("semaphore")
	s.configure(cfg)
	s.gates = keyed.New(cfg.MaxKeys,
		func(key string) *gate { return newGate(key, &s.settings) },
		(*gate).idle)
	return s, nil
}

func (s *Semaphore) configure(cfg Config) {
	s.settings.Store(&settings{Config: cfg, adaptive: cfg.Limit == LimitAdaptive, tenant: s.tenant, reporter: s.reporter})
}

// Update changes the limits in use. With a lower limit, requests that are
// under way finish; with a higher one, waiting requests go at once. What an
// adaptive limit has found stays, within the new bounds. The key and the
// number of keys stay as they were made. An invalid configuration changes
// nothing.
func (s *Semaphore) Update(cfg Config) error {
	if err := middleware.Validate(s.reporter.Stage, cfg); err != nil {
		return err
	}
	s.configure(cfg)
	s.gates.Range(func(_ string, g *gate) {
		g.adaptive.resize(cfg.bounds())
		g.wake()
	})
	return nil
}

// Wrap is a middleware.Middleware.
func (s *Semaphore) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return s.roundTrip(req, next)
	})
}

func (s *Semaphore) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	cfg := s.settings.Load()
	g := s.gates.Get(s.key(req))
	var p grant
	ok := false
	if g.waiting.Load() == 0 {
		p, ok = g.tryAcquire(cfg)
	}
	if !ok {
		if p, err = s.wait(ex, g, req, cfg); err != nil {
			middleware.CloseBody(req)
			return nil, err
		}
	}
	start := stamp(p, cfg)
	if cfg.Release == ReleaseHeaders {
		returned := false
		defer func() {
			o := middleware.Outcome{Verdict: middleware.Neutral}
			if returned {
				o = ex.Outcome(resp, err)
			}
			g.settle(newToken(p.number, start), o)
		}()
		resp, err = next.RoundTrip(inner)
		returned = true
	} else {
		ex.OnEnd(g, uint64(newToken(p.number, start)))
		resp, err = next.RoundTrip(inner)
	}
	if cfg.adaptive {
		g.observe(ex, cfg, p, start, resp, err)
	}
	return resp, err
}

func (s *Semaphore) wait(ex *middleware.Exchange, g *gate, req *http.Request, cfg *settings) (grant, error) {
	start := time.Now()
	p, refused := g.wait(ex, req, cfg)
	waited := time.Since(start)
	ex.AddWait(waited)
	event := middleware.Event{Kind: EventQueued, Level: slog.LevelDebug, Key: g.key, Attempt: ex.Attempt(), Wait: waited}
	var err error
	if refused != nil {
		g.refused.Add(1)
		err = &middleware.RejectedError{Stage: s.reporter.Stage, Key: g.key, RetryAfter: refused.after, Err: refused.err, Cause: refused.cause}
		event.Kind, event.Err = EventRejected, err
	}
	s.reporter.Report(ex, event)
	return p, err
}
