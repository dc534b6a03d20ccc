package ratelimit_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// caller makes requests that stand in the queue in a known order.
type caller struct {
	t     *testing.T
	l     *ratelimit.RateLimit
	up    *upstream
	inner http.RoundTripper // what stands below l
	calls sync.WaitGroup
}

func newCaller(t *testing.T, cfg ratelimit.Config, opts ...ratelimit.Option) *caller {
	up := newUpstream()
	return &caller{t: t, l: newStage(t, cfg, opts...), up: up, inner: up}
}

// call calls with a deadline, or without one (0), and returns once the call waits or is done.
func (c *caller) call(name string, deadline time.Duration) *result {
	return c.callAs(c.t.Context(), name, deadline)
}

func (c *caller) callAs(ctx context.Context, name string, deadline time.Duration) *result {
	ctx, cancel := context.WithCancel(ctx)
	if deadline > 0 {
		ctx, cancel = context.WithTimeout(ctx, deadline)
	}
	r := &result{cancel: cancel}
	start := time.Now()
	c.calls.Go(func() {
		defer cancel()
		r.err = get(ctx, c.l.Wrap(c.inner), "http://a/"+name)
		r.took = time.Since(start)
		r.done.Store(true)
	})
	synctest.Wait()
	return r
}

// result is what became of a call; err and took are to be read once it is done.
type result struct {
	cancel context.CancelFunc
	err    error
	took   time.Duration
	done   atomic.Bool
}

// Requirement 32.
func TestEarliestDeadlineIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		c.call("none1", 0)
		c.call("10s", 10*time.Second)
		c.call("none2", 0)
		c.call("2s", 2*time.Second)
		c.call("5s", 5*time.Second)
		c.call("2s'", 2*time.Second)
		c.calls.Wait()
		require.Equal(t, "now 2s 2s' 5s 10s none1 none2", c.up.paths())
		require.Equal(t, []time.Duration{0, tick, 2 * tick, 3 * tick, 4 * tick, 5 * tick, 6 * tick}, c.up.times())
	})
}

func TestNoDeadlineDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.MaxWait = time.Second }))
		c.call("now", 0)
		patient := c.call("patient", 0)
		for range 30 { // twice the rate, each with a deadline that at first is sooner
			c.call("hurried", 800*time.Millisecond)
			time.Sleep(tick / 2)
		}
		c.calls.Wait()
		require.NoError(t, patient.err)
		require.LessOrEqual(t, patient.took, time.Second)
		require.Greater(t, patient.took, tick, "it was overtaken")
	})
}

// Requirement 9.
func TestWhoCannotBeServedInTimeIsRefusedAtOnce(t *testing.T) {
	for _, c := range []struct {
		name     string
		ahead    int // requests without a deadline that wait already
		deadline time.Duration
		maxWait  time.Duration
		served   bool
	}{
		{name: "deadline before the next token", deadline: tick - 1},
		{name: "deadline with the token leaves no time", deadline: tick},
		{name: "deadline after the token", deadline: tick + time.Millisecond, served: true},
		{name: "deadline overtakes who has more time", ahead: 3, deadline: tick + time.Millisecond, served: true},
		{name: "max_wait before the next token", maxWait: tick - time.Millisecond},
		{name: "max_wait is just enough", maxWait: tick, served: true},
		{name: "max_wait is just enough behind others", ahead: 2, maxWait: 3 * tick, served: true},
		{name: "max_wait is too short behind others", ahead: 3, maxWait: 3 * tick},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newCaller(t, config(func(cfg *ratelimit.Config) {
					if c.maxWait > 0 {
						cfg.MaxWait = c.maxWait
					}
				}))
				caller.call("now", 0)
				for range c.ahead {
					caller.call("ahead", 0)
				}
				r := caller.call("it", c.deadline)
				require.NotEqual(t, c.served, r.done.Load(), "a refusal comes at once")
				caller.calls.Wait()
				if c.served {
					require.NoError(t, r.err)
					return
				}
				require.Zero(t, r.took)
				require.ErrorIs(t, r.err, ratelimit.ErrTooLate)
				rejected := rejection(t, r.err)
				if c.deadline > 0 {
					require.ErrorIs(t, r.err, context.DeadlineExceeded)
					require.True(t, rejected.Timeout())
					require.Equal(t, tick, rejected.RetryAfter)
				} else {
					require.NotErrorIs(t, r.err, context.DeadlineExceeded)
					require.False(t, rejected.Timeout())
					require.Equal(t, time.Duration(c.ahead+1)*tick, rejected.RetryAfter)
				}
				require.Equal(t, "rate_limit", rejected.Stage)
				require.Equal(t, "a", rejected.Key)
			})
		})
	}
}

func TestWhoHasBeenLetInIsNotPushedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		c.call("tight1", 2*tick+tick/2)
		c.call("tight2", 2*tick+tick/2)
		hurried := c.call("hurried", tick+tick/2)
		require.ErrorIs(t, hurried.err, ratelimit.ErrTooLate, "it would make tight2 late")
		require.ErrorIs(t, hurried.err, context.DeadlineExceeded)
		require.Equal(t, 3*tick, rejection(t, hurried.err).RetryAfter)
		c.calls.Wait()
		require.Equal(t, "now tight1 tight2", c.up.paths())
	})
}

func TestLimitOfAnOuterTimeoutIsADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(nil))
		total, err := timeout.New(timeout.Config{Limit: tick / 2, Until: timeout.UntilBody})
		require.NoError(t, err)
		rt := middleware.Chain(newUpstream(), total.Wrap, l.Wrap)
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		start := time.Now()
		err = get(t.Context(), rt, "http://a/")
		require.ErrorIs(t, err, ratelimit.ErrTooLate)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, time.Since(start))
	})
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	for queue, retryAfter := range map[int]time.Duration{0: tick, 1: 2 * tick, 5: 6 * tick} {
		synctest.Test(t, func(t *testing.T) {
			var seen events
			c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Queue = queue }),
				ratelimit.WithReporter(middleware.Reporter{Observer: &seen}))
			c.call("now", 0)
			for range queue {
				c.call("waits", 0)
			}
			r := c.call("refused", 0)
			require.True(t, r.done.Load())
			require.ErrorIs(t, r.err, ratelimit.ErrQueueFull)
			require.Equal(t, retryAfter, rejection(t, r.err).RetryAfter)
			require.Equal(t, []middleware.Event{{
				Stage: "rate_limit", Kind: ratelimit.EventRejected, Level: slog.LevelInfo, Key: "a", Err: r.err,
			}}, seen.list())
			c.calls.Wait()
			require.EqualValues(t, 1, only(t, c.l).Refused)
			require.EqualValues(t, 1+queue, only(t, c.l).Admitted)
		})
	}
}

// Requirements 11 and 17.
func TestCancelLeavesTheQueueAndTakesNoToken(t *testing.T) {
	for name, who := range map[string]int{"the head": 0, "the middle": 1, "the tail": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var seen events
				c := newCaller(t, config(nil), ratelimit.WithReporter(middleware.Reporter{Observer: &seen}))
				c.call("now", 0)
				waiting := []*result{c.call("0", 0), c.call("1", 0), c.call("2", 0)}
				time.Sleep(tick / 2)
				waiting[who].cancel()
				synctest.Wait()
				r := waiting[who]
				require.True(t, r.done.Load())
				require.Equal(t, tick/2, r.took)
				require.ErrorIs(t, r.err, context.Canceled)
				require.ErrorIs(t, r.err, ratelimit.ErrCanceled)
				require.Zero(t, rejection(t, r.err).RetryAfter)
				require.Equal(t, slog.LevelDebug, seen.list()[0].Level)
				require.Equal(t, 2, only(t, c.l).Waiting)
				c.calls.Wait()
				require.Equal(t, []time.Duration{0, tick, 2 * tick}, c.up.times(), "the others move up")
				require.Zero(t, only(t, c.l).Waiting)
			})
		})
	}
}

func TestCancelTogetherWithTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		head := c.call("head", 0)
		next := c.call("next", 0)
		time.AfterFunc(tick, head.cancel)
		c.calls.Wait()
		// Either the head went, or the token went to the next one: never to nobody.
		if head.err == nil {
			require.Equal(t, 2*tick, next.took)
		} else {
			require.Equal(t, tick, next.took)
		}
		require.NoError(t, next.err)
	})
}
