package fallback

import (
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// Answer gives an answer in place of a call that failed. It is safe for
// concurrent use.
type Answer interface {
	// Answer returns a response that is made for this call alone, or an error,
	// and then the next answer is tried. A response is taken as it is, whatever
	// its status. The request is the caller's, without its body unless Needs asks
	// for it; like a RoundTripper, Answer does not modify it. Who begins to read
	// the body closes it, or passes the request on to failure.Next.
	Answer(req *http.Request, failure Failure) (*http.Response, error)
	// Needs is asked once, when the stage is configured.
	Needs() Needs
}

// Needs is what an answer cannot do without.
type Needs struct {
	// Time says that it waits for something. It is tried only while the caller
	// waits too, and within what is left until the caller's deadline.
	Time bool
	// Body says that it may read the request's body. For that the stage keeps a
	// copy of a body that has no GetBody, up to replay_buffer; of a longer one,
	// Read gives middleware.ErrNotReplayable.
	Body bool
}

// Failure is what the call came to.
type Failure struct {
	// Reason is why there has to be a fallback.
	Reason Reason
	// Outcome is what the response or error meant; its RetryAfter tells when to come back.
	Outcome middleware.Outcome
	// Header is the response's; nil if there was none. It must not be changed.
	Header http.Header
	// Err is the error; nil if there was a response.
	Err error
	// Next is what stands below the stage. An answer that asks another upstream
	// sends its request there, and so through the retries and limits.
	Next http.RoundTripper
}

// Func lets a function be an Answer that may take time and read the request's body.
type Func func(req *http.Request, failure Failure) (*http.Response, error)

// Answer calls f.
func (f Func) Answer(req *http.Request, failure Failure) (*http.Response, error) {
	return f(req, failure)
}

// Needs asks for time and for the body.
func (f Func) Needs() Needs { return Needs{Time: true, Body: true} }

// Instant is a Func that does no I/O and waits for nothing, besides reading the
// request's body. It is tried even when the caller's deadline has passed.
type Instant func(req *http.Request, failure Failure) (*http.Response, error)

// Answer calls f.
func (f Instant) Answer(req *http.Request, failure Failure) (*http.Response, error) {
	return f(req, failure)
}

// Needs asks for the body.
func (f Instant) Needs() Needs { return Needs{Body: true} }
