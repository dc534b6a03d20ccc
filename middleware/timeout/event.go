package timeout

import (
	"context"
	"log/slog"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events.
const (
	// EventTimedOut: the limit was reached. Wait is the limit, the attribute
	// "until" what should have come.
	EventTimedOut = "timed_out"
	// EventRejected: there was no time left to send the request in.
	EventRejected = "rejected"
)

func (t *Timeout) report(ex *middleware.Exchange, b *bound) {
	t.timedOut.Add(1)
	if t.reporter.Enabled() {
		t.reporter.Report(ex, middleware.Event{
			Kind: EventTimedOut, Level: slog.LevelWarn, Attempt: ex.Attempt(), Wait: b.err.Limit, Err: &b.err,
			Attrs: []slog.Attr{slog.String("until", b.err.Until)},
		})
	}
}

// reject gives the refusal of a request whose deadline has passed.
func (t *Timeout) reject(ex *middleware.Exchange) error {
	t.rejected.Add(1)
	_ = ex.Err() // sees that it has passed
	cause := ex.Cause()
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	err := &middleware.RejectedError{Stage: t.reporter.Stage, Err: ErrTooLate, Cause: cause}
	t.reporter.Report(ex, middleware.Event{Kind: EventRejected, Attempt: ex.Attempt(), Err: err})
	return err
}
