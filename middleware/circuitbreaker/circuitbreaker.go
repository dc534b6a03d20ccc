package circuitbreaker

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/keyed"
)

// CircuitBreaker is the stage. It is safe for concurrent use.
type CircuitBreaker struct {
	reporter middleware.Reporter
	keyFunc  middleware.KeyFunc // of WithKey; nil for the configuration's
	settings atomic.Pointer[settings]
	breakers *keyed.Map[breaker]
	stripes  stripes
	epoch    time.Time // instants are kept as the time since then
}

// Option is a collaborator of the stage.
type Option func(*CircuitBreaker)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(s *CircuitBreaker) { s.reporter = r }
}

// WithKey chooses by a function which requests share a breaker, whatever the
// configuration says.
func WithKey(f middleware.KeyFunc) Option {
	return func(s *CircuitBreaker) { s.keyFunc = f }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*CircuitBreaker, error) {
	if err := middleware.Validate("circuit_breaker", cfg); err != nil {
		return nil, err
	}
	s := &CircuitBreaker{epoch: time.Now()}
	for _, o := range opts {
		o(s)
	}
	s.reporter = s.reporter.Named("circuit_breaker")
	s.settings.Store(newSettings(cfg, s.keyFunc))
	s.stripes.init()
	s.breakers = keyed.New(cfg.MaxKeys, s.newBreaker, (*breaker).idle)
	return s, nil
}

// Update changes the settings for the calls that begin or end from now on. The
// breakers keep their states and what they have counted; only another
// WindowCalls starts the windows anew. An invalid configuration changes nothing.
func (s *CircuitBreaker) Update(cfg Config) error {
	if err := middleware.Validate(s.reporter.Stage, cfg); err != nil {
		return err
	}
	s.settings.Store(newSettings(cfg, s.keyFunc))
	return nil
}

// now reads the monotonic clock alone, at half the price of time.Now.
func (s *CircuitBreaker) now() time.Duration { return time.Since(s.epoch) }

// Wrap is a middleware.Middleware.
func (s *CircuitBreaker) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return s.roundTrip(req, next)
	})
}

func (s *CircuitBreaker) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	set := s.settings.Load()
	b := s.breakers.Get(set.key(req))
	token, wait, ok := b.admit(req, set)
	if !ok {
		// Before Join: a refusal has no use for an exchange.
		return nil, b.refuse(req, wait)
	}
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)
	if set.SlowCall > 0 {
		return b.timed(ex, inner, next, token, set.SlowCall)
	}
	ex.OnEnd(b, token)
	return next.RoundTrip(inner)
}

// timed measures the time until the headers. What it finds goes into the
// token, so the exchange gets it afterwards, also when something below panics.
func (b *breaker) timed(ex *middleware.Exchange, req *http.Request, next http.RoundTripper, token uint64, limit time.Duration) (*http.Response, error) {
	start, queued := b.stage.now(), ex.Waited()
	defer func() {
		if b.stage.now()-start-(ex.Waited()-queued) >= limit {
			token |= slowToken
		}
		ex.OnEnd(b, token)
	}()
	return next.RoundTrip(req)
}
