package middleware

import (
	"net/http"
	"time"
)

// Outcome is what an answer meant. It is decided once, next to the wire, and
// every stage above reads it.
type Outcome struct {
	Verdict    Verdict
	Processing Processing
	// Advice is what the upstream itself says about repeating the request, in an
	// X-Should-Retry field. It outranks what the verdict suggests.
	Advice Advice
	// Hinted tells whether RetryAfter is something that the upstream said.
	Hinted bool
	Reason Reason
	// Status is the response's; 0 where there was none.
	Status int
	// RetryAfter is how long the upstream asks to stay away, if Hinted. It is
	// as the upstream said, not capped; never negative.
	RetryAfter time.Duration
	// Concurrency is the number of requests at a time that the upstream says it
	// allows; 0 if it says nothing. A provider stage reads it.
	Concurrency int
}

// Advice is an upstream's word on whether to repeat a request.
type Advice uint8

const (
	// NoAdvice: it says nothing.
	NoAdvice Advice = iota
	// Repeat: another attempt may succeed.
	Repeat
	// DontRepeat: it is no use.
	DontRepeat
)

// Verdict is the judgement on an answer.
type Verdict uint8

// The verdicts. The zero value is no verdict.
const (
	_ Verdict = iota
	// Success is an answer as it should be.
	Success
	// Invalid says that the request is wrong: repeating it is no use, and the
	// upstream is healthy. It passes through, no fallback masks it.
	Invalid
	// Exhausted is a quota or a payment that is missing until a person acts:
	// no retry, no failure of the upstream.
	Exhausted
	// Pushback is "too many requests": wait, then come again.
	Pushback
	// Busy is an overloaded upstream.
	Busy
	// Failure is everything else that went wrong upstream or on the way.
	Failure
	// Neutral says nothing about the upstream: the caller gave up, or the
	// request was refused on this side.
	Neutral
)

var verdictNames = [...]string{"none", "success", "invalid", "exhausted", "pushback", "busy", "failure", "neutral"}

// String gives the verdict's name in lower case.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Healthy tells whether the upstream did its work.
func (v Verdict) Healthy() bool { return v == Success || v == Invalid }

// Processing is how far the upstream got with a request. It decides what may
// be repeated.
type Processing uint8

const (
	// MaybeProcessed is the careful default: it cannot be told.
	MaybeProcessed Processing = iota
	// NeverSent says that no byte of the request left.
	NeverSent
	// Unprocessed says that the upstream refused before it did anything.
	Unprocessed
	// Processed says that the upstream answered the request itself.
	Processed
)

var processingNames = [...]string{"maybe processed", "never sent", "unprocessed", "processed"}

// String gives the state's name.
func (p Processing) String() string {
	if int(p) < len(processingNames) {
		return processingNames[p]
	}
	return "unknown"
}

// Reason says in a word or two why a verdict is what it is. Provider stages
// may add their own.
type Reason string

// The reasons of the generic classification.
const (
	ReasonStatus      Reason = ""            // the status says it
	ReasonPanic       Reason = "panic"       // something below panicked
	ReasonRejected    Reason = "rejected"    // a stage refused it
	ReasonCanceled    Reason = "canceled"    // the caller gave up
	ReasonDeadline    Reason = "deadline"    // the caller's deadline passed
	ReasonTimeout     Reason = "timeout"     // a stage's limit was reached
	ReasonDial        Reason = "dial"        // no connection
	ReasonCertificate Reason = "certificate" // the peer could not be trusted
	ReasonConnection  Reason = "connection"  // the connection broke before the headers
	ReasonBody        Reason = "body"        // the body broke off
	ReasonRequest     Reason = "request"     // the request cannot be sent as it is
)

// Outcome gives the meaning of what RoundTrip returned: as a provider stage
// decided it, else the generic classification of Classify. The same response
// is looked at once. A caller that cancelled makes an error Neutral; the
// limit of a stage, and the caller's deadline, make it a Failure.
func (e *Exchange) Outcome(resp *http.Response, err error) Outcome {
	if !e.decidedFor(resp) {
		if err != nil || resp == nil {
			o := Classify(nil, err)
			if o.Reason != ReasonRejected && e.Err() != nil {
				o.Verdict, o.Reason, _ = e.blame(nil)
			}
			return o
		}
		e.decide(Classify(resp, nil), resp)
	}
	return e.decision()
}

// decidedFor tells whether the outcome of resp is decided. What was decided in
// advance is from then on that of this response.
func (e *Exchange) decidedFor(resp *http.Response) bool {
	if !e.decided() || e.outcomeOf != nil && e.outcomeOf != resp {
		return false
	}
	e.outcomeOf = resp
	return true
}

// Decide sets the outcome of what the stage is about to return, for every stage above it.
func (e *Exchange) Decide(o Outcome) { e.decide(o, nil) }

// plainSuccess is an answer of which there is nothing to say but its status.
func plainSuccess(status uint16) Outcome {
	return Outcome{Verdict: Success, Processing: Processed, Status: int(status)}
}

func (e *Exchange) decide(o Outcome, of *http.Response) {
	e.outcomeOf = of
	if status := uint16(o.Status); status != 0 && o == plainSuccess(status) {
		e.status, e.outcome = status, nil
		return
	}
	e.status, e.outcome = 0, o.kept()
}

// kept is o on the heap, where only a caller that needs it there puts it.
func (o Outcome) kept() *Outcome { return &o }

func (e *Exchange) decided() bool { return e.status != 0 || e.outcome != nil }

// decision is what was decided; the zero Outcome if nothing was.
func (e *Exchange) decision() Outcome {
	switch {
	case e.outcome != nil:
		return *e.outcome
	case e.status != 0:
		return plainSuccess(e.status)
	}
	return Outcome{}
}
