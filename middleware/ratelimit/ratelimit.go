package ratelimit

import (
	"context"
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
	// EventLearned: the upstream told a lower limit in its header. Wait is for
	// how long it holds, unless it is told again; the attributes are the budget
	// ("requests" or "units") and its rate in a second.
	EventLearned = "learned"
)

// RateLimit is the stage.
type RateLimit struct {
	settings atomic.Pointer[settings]
	reporter middleware.Reporter
	keyFunc  middleware.KeyFunc // nil for the key setting
	estimate func(*http.Request) int
	actual   func(*http.Response) (int, bool)
	families []Family
	buckets  *keyed.Map[bucket]
}

// New makes the stage.
func New(cfg Config, opts ...Option) (*RateLimit, error) {
	if err := middleware.Validate("rate_limit", cfg); err != nil {
		return nil, err
	}
	l := &RateLimit{families: Families()}
	for _, o := range opts {
		o(l)
	}
	l.reporter = l.reporter.Named("rate_limit")
	l.settings.Store(newSettings(cfg, l.keyFunc))
	l.buckets = keyed.New(cfg.MaxKeys,
		func(key string) *bucket { return newBucket(key, &l.settings) },
		(*bucket).idle)
	return l, nil
}

// Update changes the settings in use. Waiting requests see a new rate at once,
// and those that can't be served in time any more are refused; max_wait and
// queue hold for the requests that come from now on. Tokens and pauses are
// kept; those of another key setting are not used any more. MaxKeys stays as it
// was made. An invalid configuration changes nothing.
func (l *RateLimit) Update(cfg Config) error {
	if err := middleware.Validate(l.reporter.Stage, cfg); err != nil {
		return err
	}
	l.settings.Store(newSettings(cfg, l.keyFunc))
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

	cfg := l.settings.Load()
	b := l.buckets.Get(cfg.key(req))
	ctx := inner.Context()
	var r *reservation
	if cfg.Units.on() {
		r = l.reserve(ex, inner, b)
		ex.OnUsage(r)
		inner = inner.WithContext(r)
	}
	if !b.pass(r.cost()) {
		if err := l.wait(ctx, ex, b, r.cost()); err != nil {
			middleware.CloseBody(req)
			return nil, err
		}
	}
	resp, err = next.RoundTrip(inner)
	o := ex.Outcome(resp, err)
	switch {
	case o.Processing == middleware.NeverSent:
		b.giveBack(r)
	case r != nil:
		l.account(b, r, resp, o)
	}
	if o.Verdict == middleware.Pushback || cfg.pauses(o) {
		l.pause(ex, b, cfg, o)
	}
	if cfg.Learn && resp != nil && !cfg.pauses(o) { // a hint outranks what can be read from limits
		l.learn(ex, b, resp, o)
	}
	return resp, err
}

// account settles what a response tells of the units that its request took.
func (l *RateLimit) account(b *bucket, r *reservation, resp *http.Response, o middleware.Outcome) {
	if l.actual != nil && resp != nil {
		if units, ok := l.actual(resp); ok {
			b.correct(r, units)
			return
		}
	}
	if o.Processing == middleware.Unprocessed || o.Verdict == middleware.Exhausted {
		b.refund(r)
	}
}

// wait waits for a token and tells how that went.
func (l *RateLimit) wait(ctx context.Context, ex *middleware.Exchange, b *bucket, cost int) error {
	start := time.Now()
	refused := b.wait(ctx, ex, cost)
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

// pause notes a pushback and holds everybody back if the upstream asks for it.
// Of the many answers that ask for it in a burst, the first is reported.
func (l *RateLimit) pause(ex *middleware.Exchange, b *bucket, cfg *settings, o middleware.Outcome) {
	var hint time.Duration
	if cfg.pauses(o) {
		hint = o.RetryAfter
	}
	if d, began := b.pushedBack(hint); began {
		l.reportPause(ex, b, o, d)
	}
}

func (l *RateLimit) reportPause(ex *middleware.Exchange, b *bucket, o middleware.Outcome, d time.Duration) {
	l.reporter.Report(ex, middleware.Event{
		Kind: EventPaused, Level: slog.LevelWarn, Key: b.key, Attempt: ex.Attempt(), Outcome: o, Wait: d,
	})
}
