package llm

import (
	"errors"
	"io"

	"github.com/headgate-go/headgate/middleware"
)

// The sentinels of the errors with which reading an answer fails.
var (
	// ErrCut says that an answer ended before it was complete. It matches
	// io.ErrUnexpectedEOF as well.
	ErrCut = errors.New("the answer ended before it was complete")
	// ErrUpstream says that the upstream told an error in the middle of its answer.
	ErrUpstream = errors.New("the upstream told an error in its answer")
	// ErrEmpty says that an answer consists of keep-alives alone.
	ErrEmpty = errors.New("the answer is empty")
)

// Error is what reading a response's body fails with, where the connection is
// sound and the answer is not. It repeats nothing of the answer.
type Error struct {
	// Stage is the id of the stage.
	Stage string
	// Outcome is what the upstream's error means, where there is one: a status and
	// a verdict as the error would have had instead of an answer.
	Outcome middleware.Outcome
	// Err is the sentinel.
	Err error
}

// Error reads "llm: the upstream told an error in its answer (busy)".
func (e *Error) Error() string {
	text := e.Stage + ": " + e.Err.Error()
	if e.Outcome.Verdict != 0 {
		text += " (" + e.Outcome.Verdict.String() + ")"
	}
	return text
}

// Unwrap gives the sentinel, and io.ErrUnexpectedEOF for an answer that is cut.
func (e *Error) Unwrap() []error {
	if e.Err == ErrUpstream {
		return []error{e.Err}
	}
	return []error{e.Err, io.ErrUnexpectedEOF}
}
