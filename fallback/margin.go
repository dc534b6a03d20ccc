package fallback

import (
	"context"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// errMargin ends the wait for the upstream, or for an answer that takes time, shortly
// before the caller's deadline.
var errMargin error = &marginError{}

type marginError struct{}

func (*marginError) Error() string        { return "no answer in time for the caller's deadline" }
func (*marginError) Is(target error) bool { return target == context.DeadlineExceeded }
func (*marginError) Timeout() bool        { return true }

// CallersDeadline makes it a middleware.CallersDeadline: the breaker and the
// limits below are not to take the margin for a timeout of the upstream.
func (*marginError) CallersDeadline() {}

// keepMargin has ex end the margin before its deadline, so that another answer of
// this stage still reaches the caller: one that comes at the deadline comes too
// late. Of a short deadline it keeps a tenth at most.
func (s *settings) keepMargin(ex *middleware.Exchange) {
	if s.cfg.Margin == 0 {
		return
	}
	if deadline, ok := ex.Deadline(); ok {
		ex.Limit(deadline.Add(-min(s.cfg.Margin, time.Until(deadline)/10)), errMargin)
	}
}

// endMargin leaves the body of an answer that came in time all the time there is.
func (s *settings) endMargin(ex *middleware.Exchange) {
	if s.cfg.Margin != 0 {
		ex.Limit(time.Time{}, errMargin)
	}
}
