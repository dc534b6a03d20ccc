package retry

import (
	"context"
	"errors"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// another decides whether there will be another attempt, and when; if not, why.
func (c *call) another(o middleware.Outcome, err error) (delay time.Duration, reason error) {
	delay = c.cfg.delay(c.made, o)
	ctx := c.req.Context()
	switch deadline, ok := ctx.Deadline(); {
	case ctx.Err() != nil:
		return 0, ended(ctx.Err())
	case o.Advice == middleware.DontRepeat:
		return 0, errAdvice
	case errors.Is(err, ErrGaveUp):
		return 0, errWithin
	case max(c.made, c.number) >= c.cfg.MaxAttempts:
		return 0, errAttempts
	case !repeatable(c.ex, c.req, o, &c.cfg.Config):
		return 0, errUnsafe
	case !c.replay.Replayable():
		return 0, errNotReplayable
	case c.again:
		return 0, errAttempts
	case o.Hinted && o.RetryAfter > c.cfg.MaxRetryAfter:
		return 0, errRetryAfter
	case ok && time.Until(deadline)-delay <= c.cfg.MinTime:
		return 0, errDeadline
	case c.budget != nil && !free(o) && !c.pay():
		return 0, ErrBudget
	}
	return delay, nil
}

// pay takes a retry out of the budget.
func (c *call) pay() (ok bool) {
	c.paid, ok = c.budget.take(&c.cfg.Budget)
	return ok
}

func ended(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errDeadline
	}
	return errCanceled
}

// final tells whether clients above, and retry stages further out, are not to
// repeat what this stage gave up. What the stage may not repeat itself, they
// may, because they know what their request does; but not while the budget says
// that the upstream has had enough.
func (c *call) final(reason error) bool {
	if reason == errUnsafe || reason == errNotReplayable {
		return c.budget != nil && c.budget.stats(&c.cfg.Budget).Left <= 0
	}
	return true
}
