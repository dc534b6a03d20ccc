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
)

// epoch is where the start of a permit is counted from; it fits into a token.
var epoch = time.Now()

// Semaphore is the stage.
type Semaphore struct {
	settings atomic.Pointer[Config]
	reporter middleware.Reporter
	key      middleware.KeyFunc
	gates    *keyed.Map[gate]
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
	s.settings.Store(&cfg)
	s.gates = keyed.New(cfg.MaxKeys,
		func(key string) *gate { return newGate(key, &s.settings) },
		(*gate).idle)
	return s, nil
}

// Update changes the limits in use. With a lower limit, requests that are
// under way finish; with a higher one, waiting requests go at once. The key
// and the number of keys stay as they were made. An invalid configuration
// changes nothing.
func (s *Semaphore) Update(cfg Config) error {
	if err := middleware.Validate(s.reporter.Stage, cfg); err != nil {
		return err
	}
	s.settings.Store(&cfg)
	s.gates.Range(func(_ string, g *gate) {
		g.mu.Lock()
		g.serve()
		g.mu.Unlock()
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
	if g.waiting.Load() > 0 || !g.tryAcquire(cfg.MaxConcurrent) {
		if err := s.wait(ex, g, cfg); err != nil {
			middleware.CloseBody(req)
			return nil, err
		}
	}
	since := g.stamp(cfg)
	if cfg.Release == ReleaseHeaders {
		defer func() {
			g.learn(since, ex.Outcome(resp, err).Verdict)
			g.release()
		}()
		return next.RoundTrip(inner)
	}
	ex.OnEnd(g, since)
	return next.RoundTrip(inner)
}

// stamp is when a permit was taken, or 0 while it makes no difference: how
// long permits are held is only of interest once requests may have to wait,
// and reading the clock is not free.
func (g *gate) stamp(cfg *Config) uint64 {
	if cfg.Reserve != 0 || cfg.Queue == 0 || g.inUse.Load()*2 < int64(cfg.MaxConcurrent) {
		return 0
	}
	return uint64(time.Since(epoch))
}

func (s *Semaphore) wait(ex *middleware.Exchange, g *gate, cfg *Config) error {
	start := time.Now()
	err, cause := g.wait(ex, cfg)
	waited := time.Since(start)
	ex.AddWait(waited)
	event := middleware.Event{Kind: EventQueued, Level: slog.LevelDebug, Key: g.key, Attempt: ex.Attempt(), Wait: waited}
	if err != nil {
		g.refused.Add(1)
		rejected := &middleware.RejectedError{Stage: s.reporter.Stage, Key: g.key, Err: err, Cause: cause}
		event.Kind, event.Err, err = EventRejected, rejected, rejected
	}
	s.reporter.Report(ex, event)
	return err
}

// KeyStats is a snapshot of the permits of one key.
type KeyStats struct {
	Key      string        `json:"key"`
	InUse    int           `json:"in_use"`
	Waiting  int           `json:"waiting"`
	Limit    int           `json:"limit"`
	Reserve  time.Duration `json:"reserve"`
	Admitted uint64        `json:"admitted"` // permits given
	Queued   uint64        `json:"queued"`   // requests that had to wait
	Refused  uint64        `json:"refused"`
}

// Stats is a snapshot, a line for each key, in no particular order.
func (s *Semaphore) Stats() []KeyStats {
	cfg := s.settings.Load()
	var all []KeyStats
	s.gates.Range(func(key string, g *gate) {
		reserve := cfg.Reserve
		if reserve == 0 {
			reserve = g.service.Value()
		}
		all = append(all, KeyStats{
			Key: key, InUse: int(g.inUse.Load()), Waiting: int(g.waiting.Load()), Limit: cfg.MaxConcurrent, Reserve: reserve,
			Admitted: g.admitted.Load(), Queued: g.queued.Load(), Refused: g.refused.Load(),
		})
	})
	return all
}
