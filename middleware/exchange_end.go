package middleware

import (
	"context"
	"errors"
	"net/http"
	"slices"
)

// Settler is told how an exchange ended.
type Settler interface {
	// Settle is called exactly once for each OnEnd, with its token, from
	// whichever goroutine ended the exchange. It must not block.
	Settle(token uint64, end End)
}

// End is how an exchange ended.
type End struct {
	// Exchange is the one that ended.
	Exchange *Exchange
	// Outcome is what the answer meant. A body that failed midway is a
	// Failure, though its status was a success; one that the caller closed
	// early, or gave up by cancelling, is not.
	Outcome Outcome
	// Err is what RoundTrip or the body's Read failed with; nil after a
	// response that was read or closed.
	Err error
}

type slot struct {
	settler Settler
	token   uint64
}

// OnEnd has s settled when the exchange ends. The settlers run in reverse
// order, innermost stage first. Call it before RoundTrip returns.
func (e *Exchange) OnEnd(s Settler, token uint64) {
	if int(e.taken) < len(e.slots) {
		e.slots[e.taken] = slot{s, token}
		e.taken++
		return
	}
	m := e.extra()
	m.slots = append(m.slots, slot{s, token})
}

// settle tells those that OnEnd registered, the last one first.
func (e *Exchange) settle(how End) {
	if m := e.more.Load(); m != nil {
		settleAll(m.slots, how)
	}
	settleAll(e.slots[:e.taken], how)
}

func settleAll(slots []slot, how End) {
	for i := len(slots) - 1; i >= 0; i-- {
		slots[i].settler.Settle(slots[i].token, how)
	}
}

// watch makes the end of r's body the end of the exchange.
func (e *Exchange) watch(r *http.Response) {
	if !e.decidedFor(r) {
		e.decide(Classify(r, nil), r)
	}
	c := e.call
	c.mu.Lock()
	if inner, ok := innerBody(r.Body); ok && inner.call == c && inner != e {
		// A child already watches this body: end when it does.
		for inner.outer != nil {
			inner = inner.outer
		}
		inner.outer = e
		if inner.phase != over {
			e.phase = streaming
			c.mu.Unlock()
			return
		}
		// It ended on the way up here.
	}
	if e.why.Load() != nil {
		// Too late, but still an answer: what is in memory can be read, and the
		// rest fails by itself.
		c.mu.Unlock()
		e.endAborted(nil)
		return
	}
	if e.bodyless(r) {
		c.mu.Unlock()
		e.end(End{Outcome: e.decision()})
		return
	}
	if e.unwatched() {
		// The context stays as it is, in case that the body looks at it.
		e.phase = over
		e.flags.set(ended)
		c.mu.Unlock()
		return
	}
	e.phase = streaming
	body := &c.body
	if body.ex != nil { // somebody may still hold it
		body = new(watchedBody)
	}
	*body = watchedBody{rc: r.Body, ex: e}
	r.Body = body.asReadCloser()
	c.listen()
	c.mu.Unlock()
}

// bodyless tells whether nothing can be read from r's body. HTTP/2 does not
// use http.NoBody where the method or the status says it.
func (e *Exchange) bodyless(r *http.Response) bool {
	return r.Body == nil || r.Body == http.NoBody || e.caller.Method == http.MethodHead ||
		r.StatusCode == http.StatusNoContent || r.StatusCode == http.StatusNotModified
}

// unwatched tells whether the end of this call, which has no attempts, is of no interest to anybody. c.mu is held.
func (e *Exchange) unwatched() bool {
	c := e.call
	return c.live == e && e.next == nil && e.taken == 0 && len(c.limits) == 0 && len(c.afters) == 0 && e.watchers() == nil && e.done == nil
}

// end settles the exchange, once, and then the one that it stands for.
func (e *Exchange) end(how End) {
	c := e.call
	how.Exchange = e
	c.mu.Lock()
	if e.phase == over {
		c.mu.Unlock()
		return
	}
	e.phase = over
	e.flags.set(ended)
	// Whoever still waits for this context, or runs an attempt within it, is released.
	var room [2]ending // nearly always enough, and on the stack
	ends := endings(room[:0])
	if e.why.Load() == nil {
		ends = append(ends, e.cancel(finished))
	}
	c.leave(e)
	if len(c.limits) > 0 {
		c.limits = slices.DeleteFunc(c.limits, func(l limit) bool { return l.ex == e })
	}
	ends = c.cancelBelow(e, givenUp, ends)
	if c.live == nil {
		c.stopListening()
	}
	outer := e.outer
	c.mu.Unlock()

	if m := e.more.Load(); m != nil && m.between != nil && m.between.unhook != nil {
		m.between.unhook()
	}
	e.settle(how)
	ends.run()
	if outer != nil {
		outer.endWith(how)
	}
}

// endWith ends an exchange with the attempt whose response it returned. What
// that response meant, it may have decided otherwise.
func (e *Exchange) endWith(attempt End) {
	outcome := e.decision()
	if attempt.Err != nil {
		outcome.Verdict, outcome.Reason, outcome.Processing = attempt.Outcome.Verdict, attempt.Outcome.Reason, attempt.Outcome.Processing
	}
	e.end(End{Outcome: outcome, Err: attempt.Err})
}

// stopListening lets go of the caller's context and of the alarm. c.mu is held.
func (c *call) stopListening() {
	if c.alarm != nil {
		c.pool().giveBack(c.alarm)
		c.alarm = nil
	}
}

// endAborted settles an exchange whose body failed with err, or whose context
// ended while the body was open.
func (e *Exchange) endAborted(err error) {
	outcome := e.decision()
	outcome.Verdict, outcome.Reason, outcome.Processing = e.blame(err)
	if cause := e.brokenBy(); cause != nil {
		err = cause
	}
	e.end(End{Outcome: outcome, Err: err})
}

// blame tells whose doing it was that an answer failed with err, or that its
// context ended (nil).
func (e *Exchange) blame(err error) (Verdict, Reason, Processing) {
	why := e.brokenBy() // before the caller's context: what happens to that later is another matter
	if why == nil {
		why = e.call.ctx().Err()
	}
	cause := e.Cause()
	if of, ok := e.call.ctx().(Continuation); ok && cause == nil && errors.Is(why, context.DeadlineExceeded) {
		cause = of.Cause()
	}
	_, callers := cause.(CallersDeadline)
	switch {
	case cause != nil && !callers:
		return Failure, ReasonTimeout, MaybeProcessed
	case errors.Is(why, context.Canceled):
		return Neutral, ReasonCanceled, MaybeProcessed
	case why != nil: // the caller's deadline, or a limit that stands for it
		return Failure, ReasonDeadline, MaybeProcessed
	case err == nil:
		return Neutral, ReasonCanceled, MaybeProcessed // a stage above gave this attempt up
	default:
		return Failure, ReasonBody, MaybeProcessed
	}
}

// brokenBy is what ended the context while the exchange was still on: the
// cause of a limit, or the context's error; nil if nothing did.
func (e *Exchange) brokenBy() error {
	if why := e.why.Load(); why != nil && why.early {
		return why.err
	}
	return nil
}
