package retry

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// call is one call with its attempts.
type call struct {
	r      *Retry
	cfg    *settings
	budget *budget // nil without one
	ex     *middleware.Exchange
	req    *http.Request
	next   http.RoundTripper
	replay middleware.Replay

	again  bool    // an SDK above repeats the call: all attempts but one were made before
	made   int     // attempts that went upstream
	number int     // the last attempt's in the whole call, which may have come here before on its way elsewhere
	failed failure // the last of them
	paid   ticket  // for the attempt that is on or comes next
}

// begin counts the call, and prepares to send its request more than once.
func (c *call) begin() {
	c.budget = c.cfg.budgetOf(c.req)
	if c.again = repeated(c.req.Header); c.again {
		c.r.outer.Add(1)
	}
	switch {
	case c.budget == nil:
	case c.again:
		c.paid = c.budget.charge(&c.cfg.Budget)
	default:
		c.budget.call()
	}
	if c.cfg.IdempotencyKey {
		c.req = withKey(c.req)
	}
	c.replay = middleware.NewReplay(c.req, c.cfg.ReplayBuffer)
}

// end lets go of what the call holds. A retry that the budget paid for and that
// did not fail, or was not made, did the upstream no harm.
func (c *call) end() {
	c.paid.giveBack()
	c.replay.Release()
}

// failure is what a failed attempt leaves behind: a response in memory, or the
// head of one that was too large to keep, or an error.
type failure struct {
	outcome middleware.Outcome
	resp    *http.Response
	status  int
	header  http.Header
	err     error
}

func (c *call) run() (*http.Response, error) {
	for {
		body, err := c.replay.Body()
		if err != nil {
			return c.giveUp(errNotReplayable)
		}
		outcome, resp, err := c.attempt(body)
		if !failed(outcome) {
			return c.settled(outcome, resp, err)
		}
		c.made++
		c.paid = ticket{}
		delay, reason := c.another(outcome, err)
		if reason != nil {
			return c.lastAttempt(outcome, resp, err, reason)
		}
		c.keep(outcome, resp, err)
		c.report(EventRetrying, outcome, delay, err)
		if reason := c.sleep(delay); reason != nil {
			return c.giveUp(reason)
		}
		c.r.retries.Add(1)
	}
}

// attempt sends the request once, within an exchange of its own.
func (c *call) attempt(body io.ReadCloser) (outcome middleware.Outcome, resp *http.Response, err error) {
	child, req := c.ex.Child(c.req)
	defer child.Leave(c.req, &resp, &err)
	c.number = child.Repeats()
	c.r.attempts.Add(1)
	req.Body = body
	if c.made > 0 {
		mark(req, child)
	}
	resp, err = c.next.RoundTrip(req)
	return child.Outcome(resp, err), resp, err
}

// settled ends the call with an attempt that is no failure of the upstream. A
// refusal on this side, or the caller's cancel, does not hide an answer that
// the upstream gave before.
func (c *call) settled(o middleware.Outcome, resp *http.Response, err error) (*http.Response, error) {
	if c.made == 0 && !c.again && c.budget != nil && o.Reason == middleware.ReasonRejected {
		c.budget.uncall() // nothing went upstream
	}
	if resp == nil && c.made > 0 {
		if !errors.Is(err, middleware.ErrRejected) {
			c.made++
			if c.failed.resp == nil {
				c.failed = failure{err: err}
			}
			return c.giveUp(errCanceled)
		}
		return c.giveUp(errRefused)
	}
	if c.made > 0 && o.Verdict == middleware.Success {
		c.made++
		c.r.recovered.Add(1)
		c.report(EventRecovered, o, 0, nil)
	}
	if resp != nil && o.Verdict == middleware.Exhausted {
		// SDKs go by the status, and repeat a 429 whatever it is about.
		o.Advice = middleware.DontRepeat
		advise(resp, &c.cfg.Config)
	}
	c.ex.Decide(o)
	return resp, err
}

// lastAttempt ends the call with a failed attempt whose response, if there is
// one, goes to the caller as it is.
func (c *call) lastAttempt(o middleware.Outcome, resp *http.Response, err error, reason error) (*http.Response, error) {
	if resp != nil || c.failed.resp == nil {
		c.failed = failure{outcome: o, resp: resp, err: err}
	}
	return c.giveUp(reason)
}

// giveUp ends the call with what the last failed attempt left.
func (c *call) giveUp(reason error) (*http.Response, error) {
	f := &c.failed
	c.r.gaveUp.Add(1)
	if reason == ErrBudget {
		c.r.outOfBudget.Add(1)
	}
	c.report(EventGaveUp, f.outcome, 0, reason)
	if f.resp != nil {
		if c.final(reason) {
			f.outcome.Advice = middleware.DontRepeat
			advise(f.resp, &c.cfg.Config)
		}
		c.ex.Decide(f.outcome)
		return f.resp, nil
	}
	if c.made == 1 && f.status == 0 && (reason == errAttempts || reason == errUnsafe || reason == errWithin) {
		return nil, f.err // nothing to add: as if this stage were not there
	}
	if f.status != 0 && c.req.Context().Err() == nil {
		c.ex.Decide(f.outcome) // of the response that could not be kept
	}
	return nil, &Error{Stage: c.r.reporter.Stage, Attempts: c.made, Reason: reason, Err: f.err, Status: f.status, Header: f.header}
}

// keep puts a failed attempt aside, and frees its connection and all that the
// stages below hold for it. A body that is not there in time is closed. That is no
// limit of the attempt's: the stages below judge it by what its response meant.
func (c *call) keep(o middleware.Outcome, resp *http.Response, err error) {
	if resp == nil {
		if c.failed.resp == nil {
			c.failed = failure{outcome: o, err: err}
		}
		return
	}
	c.failed = failure{outcome: o}
	c.failed.status, c.failed.header = resp.StatusCode, resp.Header
	if body := resp.Body; body != nil {
		timer := time.AfterFunc(c.cfg.KeepTime, func() { _ = body.Close() })
		defer timer.Stop()
	}
	if middleware.Retain(resp, c.cfg.KeepResponse) {
		c.failed.resp = resp
	}
}

func (c *call) sleep(d time.Duration) (reason error) {
	ctx := c.req.Context()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx.Err())
	}
}

func (c *call) report(kind string, o middleware.Outcome, delay time.Duration, err error) {
	if c.r.reporter.Enabled() {
		c.r.reporter.Report(c.ex, middleware.Event{Kind: kind, Level: level(kind), Key: middleware.Authority(c.req), Attempt: c.made, Outcome: o, Wait: delay, Err: err})
	}
}

func level(kind string) slog.Level {
	if kind == EventGaveUp {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
