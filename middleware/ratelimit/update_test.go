package ratelimit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func TestUpdateHoldsForThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Per = 1, time.Minute }))
		for _, name := range []string{"now", "1", "2", "3"} {
			c.call(name, 0)
		}
		time.Sleep(30 * time.Second) // half a token
		require.NoError(t, c.l.Update(config(nil)))
		c.calls.Wait()
		half := 30*time.Second + tick/2
		require.Equal(t, []time.Duration{0, half, half + tick, half + 2*tick}, c.up.times())
	})
}

func TestLowerRateRefusesAtOnceWhoBecomesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.MaxWait = 4 * tick }))
		c.call("now", 0)
		waiting := []*result{c.call("0", 2*tick), c.call("1", 0), c.call("2", 0), c.call("3", 0)}
		require.NoError(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Requests = 5 })))
		synctest.Wait()
		require.True(t, waiting[0].done.Load(), "its token comes with its deadline")
		require.ErrorIs(t, waiting[0].err, context.DeadlineExceeded)
		require.Equal(t, 2*tick, rejection(t, waiting[0].err).RetryAfter)
		require.True(t, waiting[3].done.Load())
		require.ErrorIs(t, waiting[3].err, ratelimit.ErrTooLate)
		require.NotErrorIs(t, waiting[3].err, context.DeadlineExceeded)
		c.calls.Wait()
		require.Equal(t, "now 1 2", c.up.paths())
		require.Equal(t, []time.Duration{0, 2 * tick, 4 * tick}, c.up.times())
	})
}

func TestLargerBurstHoldsFromNowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		time.Sleep(time.Second)
		require.Equal(t, 1.0, only(t, c.l).Tokens)
		require.NoError(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Burst = 5 })))
		require.Equal(t, 1.0, only(t, c.l).Tokens, "an update is no present")
		time.Sleep(time.Second)
		require.Equal(t, 5.0, only(t, c.l).Tokens)
		require.NoError(t, c.l.Update(config(nil)))
		require.Equal(t, 1.0, only(t, c.l).Tokens)
	})
}

func TestSmallerQueueSparesThoseInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		for _, name := range []string{"now", "1", "2", "3"} {
			c.call(name, 0)
		}
		require.NoError(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Queue = 1 })))
		require.ErrorIs(t, c.call("refused", 0).err, ratelimit.ErrQueueFull)
		c.calls.Wait()
		require.Equal(t, "now 1 2 3", c.up.paths())
	})
}

// Requirement 28.
func TestInvalidUpdateChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		c.call("1", 0)
		require.ErrorContains(t, c.l.Update(ratelimit.Config{}), "DefaultConfig")
		require.ErrorContains(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 100, 0 })), "burst: 0")
		c.calls.Wait()
		require.Equal(t, []time.Duration{0, tick}, c.up.times())
	})
}

func TestOtherKeyHoldsFromNowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		require.NoError(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Key = middleware.KeyShared })))
		c.call("shared", 0)
		require.NoError(t, get(t.Context(), c.l.Wrap(c.up), "http://b/other"))
		require.Equal(t, []time.Duration{0, 0, tick}, c.up.times())
		require.Len(t, c.l.Stats(), 2)
	})
}
