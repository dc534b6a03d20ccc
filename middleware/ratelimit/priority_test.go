package ratelimit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func (c *caller) callWith(priority int, name string, deadline time.Duration) *result {
	return c.callAs(middleware.WithPriority(c.t.Context(), priority), name, deadline)
}

func TestHigherPriorityIsServedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		c.callWith(-1, "background", 0)
		c.call("none1", 0)
		c.callWith(2, "high1", 0)
		c.callWith(1, "middle", 0)
		c.callWith(2, "high2", 0)
		c.call("none2", 0)
		c.calls.Wait()
		require.Equal(t, "now high1 high2 middle none1 none2 background", c.up.paths())
	})
}

func TestPriorityIsWorthItsAgeing(t *testing.T) {
	for _, c := range []struct {
		name   string
		ageing time.Duration
		want   string
	}{
		{name: "more than the time between", ageing: 5 * time.Second, want: "now later earlier"},
		{name: "less than the time between", ageing: time.Second, want: "now earlier later"},
		{name: "priorities are ignored", ageing: 0, want: "now earlier later"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Per, cfg.Ageing = time.Minute, c.ageing }))
				caller.call("now", 0)
				caller.call("earlier", 0)
				time.Sleep(3 * time.Second)
				caller.callWith(1, "later", 0)
				caller.calls.Wait()
				require.Equal(t, c.want, caller.up.paths())
			})
		})
	}
}

// A stream of more important requests, as many as the rate allows, does not starve anybody.
func TestAgeingLetsNobodyStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Ageing = time.Second }))
		c.call("now", 0)
		low := c.call("low", 0)
		for range 100 {
			c.callWith(3, "high", 0)
			time.Sleep(tick)
		}
		c.calls.Wait()
		require.NoError(t, low.err)
		require.InDelta(t, 3*time.Second, low.took, float64(2*tick), "three levels of a second each")
	})
}

func TestPriorityDisplacesWhoHasLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.call("now", 0)
		low := c.call("low", tick+tick/2)
		equal := c.callWith(1, "equal", 2*tick+tick/2)
		require.False(t, equal.done.Load())
		require.True(t, low.done.Load(), "told at once that it would be late")
		require.ErrorIs(t, low.err, ratelimit.ErrTooLate)
		require.Equal(t, 2*tick, rejection(t, low.err).RetryAfter)

		tight := c.callWith(1, "tight", 2*tick+tick/2)
		require.False(t, tight.done.Load())
		third := c.callWith(1, "third", tick+tick/2)
		require.ErrorIs(t, third.err, ratelimit.ErrTooLate, "nobody displaces its equals")
		c.calls.Wait()
		require.Equal(t, "now equal tight", c.up.paths())
	})
}

func TestPriorityTakesAPlaceInAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Queue = 2 }))
		c.call("now", 0)
		c.call("first", 0)
		last := c.call("last", 0)
		high := c.callWith(1, "high", 0)
		require.True(t, last.done.Load())
		require.ErrorIs(t, last.err, ratelimit.ErrQueueFull)
		require.False(t, high.done.Load())
		require.ErrorIs(t, c.call("refused", 0).err, ratelimit.ErrQueueFull)
		c.calls.Wait()
		require.Equal(t, "now high first", c.up.paths())
		require.EqualValues(t, 2, only(t, c.l).Refused)
	})
}

func TestPriorityWithoutBoundsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Ageing = time.Hour }))
		c.call("now", 0)
		c.callWith(-1<<62, "low", 0)
		c.call("none", 0)
		c.callWith(1<<62, "high", 0)
		c.calls.Wait()
		require.Equal(t, "now high none low", c.up.paths())
	})
}
