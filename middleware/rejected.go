package middleware

import (
	"context"
	"errors"
	"strings"
	"time"
)

// ErrRejected matches, with errors.Is, every error of a call that a stage
// refused and of which nothing went upstream.
var ErrRejected = errors.New("rejected")

// RejectedError is the refusal of a stage: it never went upstream. It says which
// stage refused, why, and when to come back. It matches ErrRejected, the
// stage's own sentinel and, where a deadline was the cause,
// context.DeadlineExceeded.
type RejectedError struct {
	// Stage is the id of the stage that refused, "semaphore" for example.
	Stage string
	// Key is what the refusal is about, an authority as a rule; may be empty.
	Key string
	// RetryAfter is when it makes sense to come back; 0 if that is not known.
	RetryAfter time.Duration
	// Err is why: a sentinel of the stage.
	Err error
	// Cause is the error of the context that ended while the request waited, or
	// whose deadline could not be met; may be nil.
	Cause error
}

// Error reads for example "semaphore: api.example.com: queue is full, come back in 2s".
func (e *RejectedError) Error() string {
	var b strings.Builder
	b.WriteString(e.Stage)
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	if e.RetryAfter > 0 {
		b.WriteString(", come back in " + e.RetryAfter.Round(time.Millisecond).String())
	}
	return b.String()
}

// Is matches ErrRejected.
func (e *RejectedError) Is(target error) bool { return target == ErrRejected }

// Unwrap gives the stage's sentinel and the context's error.
func (e *RejectedError) Unwrap() []error {
	switch {
	case e.Cause == nil && e.Err == nil:
		return nil
	case e.Cause == nil:
		return []error{e.Err}
	case e.Err == nil:
		return []error{e.Cause}
	}
	return []error{e.Err, e.Cause}
}

// Timeout tells whether a deadline was the cause. url.Error asks for this method.
func (e *RejectedError) Timeout() bool { return errors.Is(e.Cause, context.DeadlineExceeded) }
