package hedge

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events. Key is the state's key, Attempt the copy's
// number (the first attempt is 1) and Wait the time since the first attempt began.
const (
	// EventHedged: a copy of the request was sent.
	EventHedged = "hedged"
	// EventWon: a copy's answer was taken. Outcome is what it meant.
	EventWon = "won"
	// EventLost: a copy was in vain, because another answer came before or it
	// failed. Outcome and Err are what came of it.
	EventLost = "lost"
	// EventPaused: the upstream pushed back, so no copies are sent for Wait. Attempt is the call's.
	EventPaused = "paused"
	// EventPanicked: a copy panicked when the call had returned already, so that
	// the panic could not go to the caller. Err gives the type of its value.
	EventPanicked = "panicked"
)

func (r *race) report(ctx context.Context, kind string, a attempt) {
	if !r.h.reporter.Enabled() {
		return
	}
	level := slog.LevelDebug
	if kind == EventPanicked {
		level = slog.LevelError
		a.err = fmt.Errorf("panic with a %T", a.panicked)
	}
	r.h.reporter.Report(ctx, middleware.Event{
		Kind: kind, Level: level, Key: r.upstream.key, Attempt: a.number,
		Outcome: a.outcome, Wait: r.h.now() - r.start, Err: a.err,
	})
}
