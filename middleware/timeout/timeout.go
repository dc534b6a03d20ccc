package timeout

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// EventTimedOut is the kind of the stage's event: a limit was reached.
const EventTimedOut = "timed_out"

// Timeout is the stage.
type Timeout struct {
	reporter middleware.Reporter
	// The error doubles as the limit's identity and is shared by all calls, so
	// that a limit costs no allocation.
	err atomic.Pointer[Error]
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
	t.err.Store(&Error{Stage: t.reporter.Stage, Limit: cfg.Limit, Until: cfg.Until})
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

	limit := t.err.Load()
	ex.Limit(time.Now().Add(limit.Limit), limit)
	if limit.Until == UntilHeaders {
		resp, err = next.RoundTrip(inner)
		ex.Limit(time.Time{}, limit)
		if ex.Cause() == limit {
			t.report(ex, limit)
			return nil, late(resp, err, limit)
		}
		return resp, err
	}
	if t.reporter.Enabled() {
		ex.OnEnd(t, 0)
	}
	resp, err = next.RoundTrip(inner)
	if err != nil && ex.Cause() == limit {
		err = late(nil, err, limit)
	}
	return resp, err
}

// late gives the error of an answer that came too late. A refusal by a stage
// that the request waited in says more than "timeout" does.
func late(resp *http.Response, err error, limit *Error) error {
	if resp != nil {
		_ = resp.Body.Close()
	}
	if errors.Is(err, middleware.ErrRejected) {
		return err
	}
	return limit
}

// Settle reports a call that was not complete in time.
func (t *Timeout) Settle(_ uint64, end middleware.End) {
	if limit, ok := end.Exchange.Cause().(*Error); ok && limit.Stage == t.reporter.Stage {
		t.report(end.Exchange, limit)
	}
}

func (t *Timeout) report(ex *middleware.Exchange, limit *Error) {
	t.reporter.Report(ex, middleware.Event{
		Kind: EventTimedOut, Level: slog.LevelWarn, Attempt: ex.Attempt(), Wait: limit.Limit, Err: limit,
	})
}
