package timeout

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrTimeout matches every Error.
var ErrTimeout = errors.New("timeout")

// ErrTooLate says that the deadline, of the caller or of a stage further out,
// had passed before the request was sent. It comes within a
// *middleware.RejectedError.
var ErrTooLate = errors.New("no time is left")

// Error says which limit was reached. It comes from RoundTrip, or from the
// Read of a body that took too long. It matches ErrTimeout and
// context.DeadlineExceeded.
type Error struct {
	// Stage is the id of the stage, "timeout/attempt" for example.
	Stage string
	// Limit is the time that there was.
	Limit time.Duration
	// Until is what should have come within it: UntilConnect, UntilHeaders,
	// UntilContent, UntilProgress or UntilBody.
	Until string
}

// Error reads "timeout/attempt: no headers within 3s".
func (e *Error) Error() string {
	switch e.Until {
	case UntilConnect:
		return fmt.Sprintf("%s: no connection within %v", e.Stage, e.Limit)
	case UntilBody:
		return fmt.Sprintf("%s: not complete within %v", e.Stage, e.Limit)
	case UntilProgress:
		return fmt.Sprintf("%s: no progress for %v", e.Stage, e.Limit)
	}
	return fmt.Sprintf("%s: no %s within %v", e.Stage, e.Until, e.Limit)
}

// Is matches ErrTimeout and context.DeadlineExceeded.
func (e *Error) Is(target error) bool {
	return target == ErrTimeout || target == context.DeadlineExceeded
}

// Timeout is true; url.Error and net.Error ask for it.
func (e *Error) Timeout() bool { return true }
