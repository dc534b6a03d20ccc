package circuitbreaker_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// Requirement 28: reload keeps state, and a bad configuration keeps the old one.
func TestUpdateKeepsStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(4)
		require.ErrorContains(t, r.stage.Update(config(func(c *circuitbreaker.Config) { c.OpenFor = -1 })), "open_for")
		require.NoError(t, r.stage.Update(config(func(c *circuitbreaker.Config) { c.ConsecutiveFailures = 5; c.OpenFor = time.Second })))
		r.bad(1)
		r.refused(time.Second)
		require.NoError(t, r.stage.Update(config(nil)))
		r.refused(time.Second)
		time.Sleep(time.Second)
		r.good(1)
		r.state(circuitbreaker.Closed)
	})
}

func TestUpdateOfTheWindowsLengthKeepsItsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, rateOnly)
		r.bad(10)
		time.Sleep(20 * time.Second)
		r.bad(5)
		require.NoError(t, r.stage.Update(config(func(c *circuitbreaker.Config) { rateOnly(c); c.Window = 10 * time.Second })))
		time.Sleep(3 * time.Second)
		require.EqualValues(t, 5, r.report().Failures)
	})
}

func TestUpdateOfTheWindowsKindKeepsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		r.good(1) // closed, for the second time
		inFlight, longer := r.hang(), r.hang()
		r.bad(4)
		require.NoError(t, r.stage.Update(config(func(c *circuitbreaker.Config) { c.WindowCalls = 50 })))
		require.Error(t, inFlight.finish(fails))
		require.EqualValues(t, 1, r.report().Calls)
		require.EqualValues(t, 5, r.report().Consecutive)
		require.Error(t, longer.finish(fails))
		require.EqualValues(t, 2, r.report().Calls)
		require.NoError(t, r.stage.Update(config(nil)))
		r.good(1)
		require.EqualValues(t, 1, r.report().Calls)
		require.Zero(t, r.report().Consecutive)
	})
}

func TestForceOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		require.True(t, r.stage.ForceOpen(host), "before the first call")
		r.refused(0)
		time.Sleep(24 * time.Hour)
		r.refused(0)
		r.state(circuitbreaker.ForcedOpen)
		require.True(t, r.stage.Auto(host))
		r.good(1)
		r.state(circuitbreaker.Closed)
		require.Equal(t, []string{"forced", "forced"}, r.kinds())
	})
}

func TestForceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		early := r.report().Openings
		require.True(t, r.stage.ForceClosed(host))
		r.bad(100)
		r.state(circuitbreaker.ForcedClosed)
		require.EqualValues(t, 100, r.report().Failures, "it goes on counting")
		require.Equal(t, early, r.report().Openings)
		require.True(t, r.stage.Auto(host))
		require.Zero(t, r.report().Failures)
		r.bad(10)
		r.refused(5 * time.Second)
	})
}

func TestForceIgnoresWhatItCantReach(t *testing.T) {
	r := newRig(t, func(c *circuitbreaker.Config) { c.MaxKeys = 1 })
	require.False(t, r.stage.Auto(host), "not forced")
	require.True(t, r.stage.ForceOpen("a"))
	require.False(t, r.stage.ForceOpen("b"), "no room: others would be hit, too")
	r.answer = status(http.StatusOK)
	require.NoError(t, r.to("b"))
}

func TestAProbeUnderWayDoesNotUndoAForcedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		probe := r.hang()
		require.True(t, r.stage.ForceOpen(host))
		require.NoError(t, probe.finish(status(http.StatusOK)))
		r.state(circuitbreaker.ForcedOpen)
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		start := time.Now()
		time.Sleep(time.Second)
		r.good(3)
		r.bad(2)
		require.Equal(t, []circuitbreaker.KeyStats{{
			Key: host, Since: start.Add(time.Second), Calls: 5, Failures: 2, Consecutive: 2,
		}}, r.stage.Stats())
		r.bad(8)
		time.Sleep(2 * time.Second)
		r.refused(3 * time.Second)
		require.Equal(t, circuitbreaker.KeyStats{
			Key: host, State: circuitbreaker.Open, Since: start.Add(time.Second), RetryAfter: 3 * time.Second, Openings: 1, Rejected: 1,
		}, r.report())
	})
}

func TestStatesHaveNames(t *testing.T) {
	for state, name := range map[circuitbreaker.State]string{
		circuitbreaker.Closed: "closed", circuitbreaker.Open: "open", circuitbreaker.HalfOpen: "half_open",
		circuitbreaker.ForcedOpen: "forced_open", circuitbreaker.ForcedClosed: "forced_closed", 99: "unknown",
	} {
		text, err := state.MarshalText()
		require.NoError(t, err)
		require.Equal(t, name, string(text))
	}
}
