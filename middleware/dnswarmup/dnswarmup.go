package dnswarmup

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events. Key is the host, Wait how long it took.
const (
	// EventWarmed: a host's connections are ready; the attribute connections is how many were asked for.
	EventWarmed = "warmed"
	// EventFailed: a host could not be warmed. Err says why.
	EventFailed = "failed"
)

// Warmup is the stage.
type Warmup struct {
	settings atomic.Pointer[Config]
	reporter middleware.Reporter
	warmer   middleware.Warmer

	wake    chan struct{} // there is something to warm before the next look
	retimed chan struct{} // the time of the next look is another one
	learned learned

	mu    sync.Mutex
	life  *life             // nil unless started
	hosts map[string]result // the last warm-up of each host
}

// Option is a collaborator of the stage.
type Option func(*Warmup)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(w *Warmup) { w.reporter = r }
}

// WithWarmer says who opens the connections: the base of the chain, as a rule.
// It is required, unless the stage is optional. Its Warm is called from several goroutines and must return
// when its context ends.
func WithWarmer(m middleware.Warmer) Option {
	return func(w *Warmup) { w.warmer = m }
}

// New makes the stage. It does no I/O. Without a Warmer the error matches
// ErrNoWarmer, also if there is no host to warm yet; not so if the stage is optional.
func New(cfg Config, opts ...Option) (*Warmup, error) {
	if err := middleware.Validate("dns_warmup", cfg); err != nil {
		return nil, err
	}
	w := &Warmup{hosts: make(map[string]result), wake: make(chan struct{}, 1), retimed: make(chan struct{}, 1)}
	w.learned.hosts = make(map[origin]*learnedHost)
	for _, o := range opts {
		o(w)
	}
	w.reporter = w.reporter.Named("dns_warmup")
	if w.warmer == nil && !cfg.Optional {
		return nil, fmt.Errorf("%s: %w", w.reporter.Stage, ErrNoWarmer)
	}
	w.settings.Store(copied(cfg))
	return w, nil
}

func copied(cfg Config) *Config {
	cfg.Hosts = append([]string(nil), cfg.Hosts...)
	return &cfg
}

// Wrap is a middleware.Middleware. It returns next itself, unless the stage
// learns the hosts of requests: it has no part in them.
func (w *Warmup) Wrap(next http.RoundTripper) http.RoundTripper {
	if w.warmer == nil || !w.settings.Load().Learn {
		return next
	}
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		if req.URL != nil && w.learned.see(req.URL, w.settings.Load().MaxLearned) {
			signal(w.wake)
		}
		return next.RoundTrip(req)
	})
}

// signal leaves word in a channel with room for one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // word is there
	}
}
