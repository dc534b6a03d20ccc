package semaphore

import "errors"

// Why a request was refused; each comes within a *middleware.RejectedError.
var (
	// ErrQueueFull says that as many requests wait as may, and that this one
	// was worth the least, when it came or when a more urgent one did.
	ErrQueueFull = errors.New("the queue is full")
	// ErrTooLate says that the request could not get a permit while it was of
	// use: within max_wait, and with the reserve left before its deadline.
	ErrTooLate = errors.New("no permit in time")
	// ErrShed says that requests without a deadline waited for longer than
	// target_wait, and that this one was among the oldest of them.
	ErrShed = errors.New("dropped because all wait too long")
	// ErrCanceled says that the request's context ended while it waited.
	ErrCanceled = errors.New("given up while waiting")
)
