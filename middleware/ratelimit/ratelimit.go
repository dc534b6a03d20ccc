package ratelimit

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
	// EventQueued: a request had to wait for its token and got it. Wait is how long.
	EventQueued = "queued"
	// EventRejected: a request was refused. Err says why, Wait how long it had waited.
	EventRejected = "rejected"
	// EventPaused: the upstream asked to stay away. Wait is for how long nobody gets a token.
	EventPaused = "paused"
)

// RateLimit is the stage.
type RateLimit struct {
	settings atomic.Pointer[Config]
	reporter middleware.Reporter
	key      middleware.KeyFunc
	buckets  *keyed.Map[bucket]
}

// Option is a collaborator of the stage.
type Option func(*RateLimit)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(l *RateLimit) { l.reporter = r }
}

// WithKey chooses by a function which requests share a rate; it takes the place
// of the key setting.
func WithKey(key middleware.KeyFunc) Option {
	return func(l *RateLimit) { l.key = key }
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*RateLimit, error) {
	if err := middleware.Validate("rate_limit", cfg); err != nil {
		return nil, err
	}
	l := &RateLimit{key: middleware.KeyByName(cfg.Key)}
	for _, o := range opts {
		o(l)
	}
	l.reporter = l.reporter.Named("rate_limit")
	l.settings.Store(&cfg)
	l.buckets = keyed.New(cfg.MaxKeys,
		func(key string) *bucket { return newBucket(key, &l.settings) },
		(*bucket).idle)
	return l, nil
}

// Update changes the settings in use. Waiting requests see a new rate at once,
// and those that can't be served in time any more are refused; max_wait and
// queue hold for the requests that come from now on. Tokens and pauses are
// kept. The key and the number of keys stay as they were made. An invalid
// configuration changes nothing.
func (l *RateLimit) Update(cfg Config) error {
	if err := middleware.Validate(l.reporter.Stage, cfg); err != nil {
		return err
	}
	l.settings.Store(&cfg)
	l.buckets.Range(func(_ string, b *bucket) { b.refresh() })
	return nil
}

// Wrap is a middleware.Middleware.
func (l *RateLimit) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return l.roundTrip(req, next)
	})
}

func (l *RateLimit) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	b := l.buckets.Get(l.key(req))
	if !b.pass() {
		if err := l.wait(ex, b); err != nil {
			middleware.CloseBody(req)
			return nil, err
		}
	}
	resp, err = next.RoundTrip(inner)
	switch o := ex.Outcome(resp, err); {
	case o.Verdict == middleware.Pushback && o.Hinted:
		l.pause(ex, b, o)
	case o.Reason == middleware.ReasonRejected:
		b.giveBack()
	}
	return resp, err
}

// wait waits for a token and tells how that went.
func (l *RateLimit) wait(ex *middleware.Exchange, b *bucket) error {
	start := time.Now()
	refused := b.wait(ex)
	waited := time.Since(start)
	ex.AddWait(waited)
	event := middleware.Event{Kind: EventQueued, Level: slog.LevelDebug, Key: b.key, Attempt: ex.Attempt(), Wait: waited}
	if refused == nil {
		l.reporter.Report(ex, event)
		return nil
	}
	err := &middleware.RejectedError{
		Stage: l.reporter.Stage, Key: b.key, RetryAfter: refused.after, Err: refused.err, Cause: refused.cause,
	}
	event.Kind, event.Err = EventRejected, err
	if refused.err != ErrCanceled {
		event.Level = slog.LevelInfo
	}
	l.reporter.Report(ex, event)
	return err
}

// pause holds everybody back as the upstream asks. Of the many answers that ask
// for it in a burst, the first is reported.
func (l *RateLimit) pause(ex *middleware.Exchange, b *bucket, o middleware.Outcome) {
	if d, began := b.pause(o.RetryAfter); began {
		l.reporter.Report(ex, middleware.Event{
			Kind: EventPaused, Level: slog.LevelWarn, Key: b.key, Attempt: ex.Attempt(), Outcome: o, Wait: d,
		})
	}
}
