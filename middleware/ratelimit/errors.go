package ratelimit

import (
	"errors"
	"time"
)

// Why a request was refused; each comes within a *middleware.RejectedError. Its
// RetryAfter is when the request would have got its token, had it been allowed
// to wait.
var (
	// ErrQueueFull says that as many requests wait as may.
	ErrQueueFull = errors.New("the queue is full")
	// ErrTooLate says that no token would come within max_wait, or before the
	// deadline; then context.DeadlineExceeded matches too.
	ErrTooLate = errors.New("no token in time")
	// ErrCanceled says that the caller gave up while the request waited.
	ErrCanceled = errors.New("given up while waiting")
)

// refusal is why a request gets no token.
type refusal struct {
	err   error         // one of the sentinels
	cause error         // of the context, where that is why
	after time.Duration // when there would be a token; 0 if it does not matter
}
