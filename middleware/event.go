package middleware

import (
	"context"
	"log/slog"
	"time"
)

// Event is something that a stage did and that somebody may want to see in a
// log or count. It carries no header value, no query and no body.
type Event struct {
	// Stage is the stage's id in its pipeline: "retry", "timeout/attempt".
	Stage string
	// Kind says what happened: one of the stage's constants, lower snake_case.
	Kind string
	// Level is how much it matters; the zero value is slog.LevelInfo.
	Level slog.Level
	// Key is what it is about, an authority as a rule; may be empty.
	Key string
	// Attempt is the attempt's number, from 1 on; 0 where it is about the call.
	Attempt int
	// Outcome is what the answer meant; the zero value where there is none.
	Outcome Outcome
	// Wait is a time that was or will be waited; 0 where there is none.
	Wait time.Duration
	// Err is why; may be nil.
	Err error
	// Attrs is what else there is to say; open to stages of one's own.
	Attrs []slog.Attr
}

// Observer is told what the stages do, within the request that they do it for
// (or a background context). It is called in the request's way: it must be
// fast, must not block, and is safe for concurrent use.
type Observer interface {
	Observe(ctx context.Context, event Event)
}

// ObserverFunc lets a function be an Observer.
type ObserverFunc func(context.Context, Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, event Event) { f(ctx, event) }

// Reporter is a stage's name and whom it tells. The zero value tells nobody.
type Reporter struct {
	// Stage is the id that the stage's events and errors carry.
	Stage string
	// Observer may be nil.
	Observer Observer
}

// Named gives r with a name, if it has none.
func (r Reporter) Named(stage string) Reporter {
	if r.Stage == "" {
		r.Stage = stage
	}
	return r
}

// Enabled tells whether somebody listens: what an event costs to make can be saved otherwise.
func (r Reporter) Enabled() bool { return r.Observer != nil }

// Report sends event on under the stage's name.
func (r Reporter) Report(ctx context.Context, event Event) {
	if r.Observer != nil {
		event.Stage = r.Stage
		r.Observer.Observe(ctx, event)
	}
}
