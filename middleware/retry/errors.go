package retry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// ErrGaveUp matches every Error.
var ErrGaveUp = errors.New("gave up")

// ErrBudget is the reason of an Error, and of the event EventGaveUp, where the
// budget allowed no further attempt.
var ErrBudget = errors.New("the retry budget is used up")

// Why the stage gives up.
var (
	errAttempts      = errors.New("no attempts left")
	errAdvice        = errors.New("the answer asks not to repeat it")
	errWithin        = errors.New("a retry stage further in gave up")
	errUnsafe        = errors.New("not safe to repeat")
	errNotReplayable = errors.New("the request's body can't be sent again")
	errDeadline      = fmt.Errorf("no time left for another attempt: %w", context.DeadlineExceeded)
	errRetryAfter    = errors.New("the upstream asks to wait for longer than max_retry_after")
	errCanceled      = fmt.Errorf("the caller gave up: %w", context.Canceled)
	errRefused       = errors.New("the next attempt was refused")
)

// Error is returned when there is no response to return and more to say than
// the error of a single attempt: there were several, or the deadline or the
// caller ended the call. It matches ErrGaveUp, the last attempt's error and,
// where the context was the reason, its error.
type Error struct {
	// Stage is the id of the stage.
	Stage string
	// Attempts is the number of attempts that were made.
	Attempts int
	// Reason says why there was no further attempt.
	Reason error
	// Err is the error of the last attempt that went upstream. It is nil if that
	// attempt gave a response too large to keep.
	Err error
	// Status and Header are those of the last response, whose body was too large
	// to keep; 0 and nil if there was none.
	Status int
	Header http.Header
}

// Error reads "retry: gave up after 3 attempts: no attempts left: connection refused".
func (e *Error) Error() string {
	text := fmt.Sprintf("%s: gave up after %d attempts: %v", e.Stage, e.Attempts, e.Reason)
	if e.Status != 0 {
		text += fmt.Sprintf(": status %d", e.Status)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Is matches ErrGaveUp.
func (e *Error) Is(target error) bool { return target == ErrGaveUp }

// Unwrap gives the reason and the last attempt's error. It never matches
// middleware.ErrRejected: something of the call went upstream.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// Timeout tells whether time ran out. url.Error asks for it.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.Is(e.Reason, context.DeadlineExceeded) || errors.As(e.Err, &t) && t.Timeout()
}
