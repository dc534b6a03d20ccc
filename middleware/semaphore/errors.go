package semaphore

import "errors"

// Why a request was refused; each comes within a *middleware.RejectedError.
var (
	// ErrQueueFull says that as many requests wait as may.
	ErrQueueFull = errors.New("the queue is full")
	// ErrTooLate says that the request could not get a permit while it was of
	// use: within max_wait, and with the reserve left before its deadline.
	ErrTooLate = errors.New("no permit in time")
	// ErrCanceled says that the request's context ended while it waited.
	ErrCanceled = errors.New("given up while waiting")
)
