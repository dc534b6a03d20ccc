package dnswarmup

import (
	"context"
	"errors"
)

var (
	// ErrWarmUp matches every Error.
	ErrWarmUp = errors.New("warm-up failed")
	// ErrNoWarmer is New's error without a middleware.Warmer.
	ErrNoWarmer = errors.New("the base can't warm connections; use package transport's, or another one that is a middleware.Warmer")
	// ErrStarted says that the stage was started before, and not stopped.
	ErrStarted = errors.New("already started")
	// ErrNotStarted is Ready's error before Start and after Stop.
	ErrNotStarted = errors.New("not started")
)

// Error says which host could not be warmed. It matches ErrWarmUp and the
// Warmer's error.
type Error struct {
	// Stage is the id of the stage.
	Stage string
	// Host is as it was configured.
	Host string
	// Err is the Warmer's error, or why there was no time for it.
	Err error
}

// Error reads "dns_warmup: api.example.com: connection refused".
func (e *Error) Error() string { return e.Stage + ": " + e.Host + ": " + e.Err.Error() }

// Is matches ErrWarmUp.
func (e *Error) Is(target error) bool { return target == ErrWarmUp }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout tells whether time ran out.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.As(e.Err, &t) && t.Timeout()
}
