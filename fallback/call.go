package fallback

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// OutcomeReason is the reason in the outcome of a call that a fallback
// answered. Its verdict is that of the answer.
const OutcomeReason middleware.Reason = "fallback"

// call is one call that may need an answer.
type call struct {
	f      *Fallback
	s      *settings
	ex     *middleware.Exchange
	caller *http.Request // as the stage was given it
	req    *http.Request // as it goes on
	next   http.RoundTripper
	bodies *bodies // nil if no answer needs the request's body

	elsewhere bool    // the other upstreams were asked already, before the primary
	faults    []error // of the answers that failed
}

// attempt sends the request on within an exchange of its own: a limit that ends
// it (timeout/total stands further in) leaves the answers their time.
func (c *call) attempt() (resp *http.Response, o middleware.Outcome, err error) {
	child, req := c.ex.Child(c.req)
	defer child.Leave(c.req, &resp, &err)
	if req.Body, err = c.bodies.open(); err != nil {
		return nil, child.Outcome(nil, err), err
	}
	c.s.keepMargin(child)
	resp, err = c.next.RoundTrip(req)
	c.s.endMargin(child)
	return resp, child.Outcome(resp, err), err
}

// answer gives the first answer that can be given, else what the call came to.
func (c *call) answer(resp *http.Response, o middleware.Outcome, err error, reason Reason) (*http.Response, error) {
	if c.gone() {
		return resp, err
	}
	if resp != nil {
		hold(resp, c.s.cfg.KeepResponse, c.s.cfg.KeepTime)
	}
	if given := c.give(resp, o, err, reason); given != nil {
		return given, nil
	}
	if !c.gone() {
		c.f.failed.Add(1)
		c.report(EventFailed, true, o, "", reason, err)
	}
	return resp, err
}

// give tries the answers; nil if none can be given, or the caller has gone.
func (c *call) give(resp *http.Response, o middleware.Outcome, err error, reason Reason) *http.Response {
	if c.gone() {
		return nil
	}
	failure := Failure{Reason: reason, Outcome: o, Err: err, Next: c.next}
	if resp != nil {
		failure.Header = resp.Header
	}
	for _, a := range c.s.order() {
		if _, again := a.source.(*upstream); again && c.elsewhere {
			continue // its attempt is spent
		}
		given, outcome, fault := c.try(a, failure)
		if fault != nil {
			if c.gone() {
				return nil
			}
			a.counts.failed.Add(1)
			c.faults = append(c.faults, &AnswerError{Answer: a.name, Err: fault})
			continue
		}
		closeBody(resp)
		c.label(given, a.name, reason)
		outcome.Reason = OutcomeReason
		c.ex.Decide(outcome)
		a.counts.given.Add(1)
		c.f.reasons.count(reason)
		c.report(EventFellBack, len(c.faults) > 0, o, a.name, reason, err)
		return given
	}
	return nil
}

// gone tells whether the caller has given up: then nobody wants an answer.
func (c *call) gone() bool { return errors.Is(c.req.Context().Err(), context.Canceled) }

// try asks one answer. One that takes time gets an exchange of its own.
func (c *call) try(a *answer, failure Failure) (resp *http.Response, o middleware.Outcome, err error) {
	if !a.needs.Time {
		resp, err = c.ask(a, c.req.WithContext(c.req.Context()), failure)
		return resp, middleware.Classify(resp, err), err
	}
	if c.req.Context().Err() != nil {
		return nil, o, ErrNoTime
	}
	child, req := c.ex.Child(c.req)
	defer child.Leave(c.req, &resp, &err)
	child.ForgetModel() // the answer may ask another model, at the same authority perhaps
	defer child.ForgetModel()
	c.s.keepMargin(child)
	resp, err = c.ask(a, req, failure)
	c.s.endMargin(child)
	return resp, child.Outcome(resp, err), err
}

// ask gives the answer its copy of the request, and makes what comes back a
// response as a RoundTripper's has to be.
func (c *call) ask(a *answer, req *http.Request, failure Failure) (*http.Response, error) {
	if c.caller.Body != nil && c.caller.Body != http.NoBody {
		if a.needs.Body {
			req.Body, req.GetBody = &lazyBody{bodies: c.bodies}, c.bodies.open
		} else {
			req.Body, req.GetBody, req.ContentLength, req.TransferEncoding = http.NoBody, nil, 0, nil
		}
	}
	resp, err := a.source.Answer(req, failure)
	switch {
	case err == nil && resp == nil:
		err = ErrNoResponse
	case err == nil && resp.StatusCode < 100:
		err = ErrNoStatus
	}
	if err != nil {
		middleware.CloseBody(req)
		closeBody(resp)
		return nil, err
	}
	complete(resp, req.Method)
	return resp, nil
}

func closeBody(resp *http.Response) {
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
}

func (c *call) report(kind string, warn bool, o middleware.Outcome, name string, reason Reason, err error) {
	if !c.f.reporter.Enabled() {
		return
	}
	event := middleware.Event{
		Kind: kind, Key: middleware.Authority(c.caller), Outcome: o, Err: errors.Join(append([]error{err}, c.faults...)...),
		Attrs: []slog.Attr{slog.String("reason", string(reason))},
	}
	if warn {
		event.Level = slog.LevelWarn
	}
	if name != "" {
		event.Attrs = append(event.Attrs, slog.String("answer", name))
	}
	c.f.reporter.Report(c.ex, event)
}
