package circuitbreaker

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events. Key is always the breaker's key.
const (
	// EventOpened says that the breaker opened, for Wait. Its Attrs are the cause
	// and, where calls were counted, calls, failures, slow and consecutive.
	EventOpened = "opened"
	// EventHalfOpen says that the open time is over and the first probe goes.
	EventHalfOpen = "half_open"
	// EventClosed says that the probes succeeded.
	EventClosed = "closed"
	// EventRejected says that a request was refused; the next probe may go after Wait.
	EventRejected = "rejected"
	// EventForced says that ForceOpen, ForceClosed or Auto put the breaker into the state of its Attrs.
	EventForced = "forced"
)

// The causes of an opening, as EventOpened gives them.
const (
	causeFailureRate  = "failure_rate"
	causeSlowCallRate = "slow_call_rate"
	causeConsecutive  = "consecutive_failures"
	causeProbe        = "probe"
)

func (b *breaker) opened(wait time.Duration, why opening, end middleware.End) {
	r := b.stage.reporter
	if !r.Enabled() {
		return
	}
	attrs := []slog.Attr{slog.String("cause", why.cause)}
	if why.cause != causeProbe {
		attrs = append(attrs, slog.Int64("calls", why.seen.calls), slog.Int64("failures", why.seen.failures),
			slog.Int64("slow", why.seen.slow), slog.Int64("consecutive", why.row))
	}
	r.Report(end.Exchange, middleware.Event{
		Kind: EventOpened, Level: slog.LevelWarn, Key: b.key, Attempt: end.Exchange.Attempt(),
		Outcome: end.Outcome, Wait: wait, Attrs: attrs,
	})
}

func (b *breaker) closed(end middleware.End) {
	b.stage.reporter.Report(end.Exchange, middleware.Event{
		Kind: EventClosed, Key: b.key, Attempt: end.Exchange.Attempt(), Outcome: end.Outcome,
	})
}

func (b *breaker) halfOpened(req *http.Request) {
	b.stage.reporter.Report(req.Context(), middleware.Event{Kind: EventHalfOpen, Key: b.key, Attempt: attempt(req)})
}

func (b *breaker) forced(state State) {
	b.stage.reporter.Report(context.Background(), middleware.Event{
		Kind: EventForced, Level: slog.LevelWarn, Key: b.key, Attrs: []slog.Attr{slog.String("state", state.String())},
	})
}

// refuse closes the request's body, as a RoundTripper must, and gives the error.
func (b *breaker) refuse(req *http.Request, wait time.Duration) error {
	middleware.CloseBody(req)
	b.rejected.Add(1)
	r := b.stage.reporter
	if r.Enabled() {
		r.Report(req.Context(), middleware.Event{
			Kind: EventRejected, Level: slog.LevelDebug, Key: b.key, Attempt: attempt(req), Wait: wait, Err: ErrOpen,
		})
	}
	return &middleware.RejectedError{Stage: r.Stage, Key: b.key, RetryAfter: wait, Err: ErrOpen}
}

func attempt(req *http.Request) int {
	if ex := middleware.FromContext(req.Context()); ex != nil {
		return ex.Attempt()
	}
	return 0
}
