package fallback

import (
	"errors"
	"slices"

	"github.com/headgate-go/headgate/middleware"
)

// Reason is why a fallback is needed.
type Reason string

// The reasons, which are also the values of the setting on.
const (
	ReasonExhausted Reason = "exhausted" // a quota or a payment is missing
	ReasonPushback  Reason = "pushback"  // too many requests
	ReasonBusy      Reason = "busy"      // the upstream is overloaded
	ReasonFailure   Reason = "failure"   // everything else that went wrong upstream or on the way
	ReasonRejected  Reason = "rejected"  // a stage refused the request
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{ReasonExhausted, ReasonPushback, ReasonBusy, ReasonFailure, ReasonRejected}
}

// reasonOf tells why what a call came to needs a fallback; "" if it needs none.
func reasonOf(o middleware.Outcome, err error) Reason {
	switch o.Verdict {
	case middleware.Exhausted:
		return ReasonExhausted
	case middleware.Pushback:
		return ReasonPushback
	case middleware.Busy:
		return ReasonBusy
	case middleware.Failure:
		return ReasonFailure
	}
	if err != nil && errors.Is(err, middleware.ErrRejected) {
		return ReasonRejected
	}
	return ""
}

// actsOn tells whether the reason is one of those that the stage acts on.
func (s *settings) actsOn(r Reason) bool { return r != "" && slices.Contains(s.cfg.On, r) }
