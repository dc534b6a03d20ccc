package fallback

import "errors"

// Errors of answers; each comes within an *AnswerError, in an event.
var (
	// ErrNoResponse says that an answer returned neither a response nor an error.
	ErrNoResponse = errors.New("no response and no error")
	// ErrNoStatus says that an answer's response has no status code.
	ErrNoStatus = errors.New("the response has no status code")
	// ErrNoStale says that no answer is stored that is not too old and may be used.
	ErrNoStale = errors.New("nothing is stored that may be used")
	// ErrNoTime says that an answer was not tried, because it needs time and the
	// call's deadline has passed.
	ErrNoTime = errors.New("no time left to try it")
)

// AnswerError says which answer failed, and why. It is what events carry; a
// caller gets the original error.
type AnswerError struct {
	// Answer is the answer's name.
	Answer string
	// Err is what it failed with.
	Err error
}

// Error reads "answer second_provider: connection refused".
func (e *AnswerError) Error() string { return "answer " + e.Answer + ": " + e.Err.Error() }

// Unwrap gives the answer's own error.
func (e *AnswerError) Unwrap() error { return e.Err }
