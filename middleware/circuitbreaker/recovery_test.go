package circuitbreaker_test

import (
	"math"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

func TestAProbeThatSucceedsCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5*time.Second - 1)
		r.refused(1)
		time.Sleep(time.Nanosecond)
		r.state(circuitbreaker.Open) // lazily: nobody came
		r.good(1)
		r.state(circuitbreaker.Closed)
		require.Zero(t, r.report().Calls, "a closed breaker begins anew")
		r.bad(9)
		r.state(circuitbreaker.Closed)
		require.Equal(t, []string{"opened", "half_open", "closed"}, r.kinds())
	})
}

// Requirement 26: the open time grows on repeated opening.
func TestOpenTimeGrowsUpToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		for _, wait := range []time.Duration{5, 10, 20, 40, 60, 60} {
			r.refused(wait * time.Second)
			time.Sleep(wait * time.Second)
			r.bad(1)
		}
		require.EqualValues(t, 7, r.report().Openings)
	})
}

func TestGrowthIsRememberedThroughAShortRecovery(t *testing.T) {
	for name, c := range map[string]struct{ closed, wait time.Duration }{
		"closed for less than max_open_for": {time.Minute - 1, 10 * time.Second},
		"closed for max_open_for":           {time.Minute, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.bad(10)
				time.Sleep(5 * time.Second)
				r.good(1)
				time.Sleep(c.closed)
				r.bad(10)
				r.refused(c.wait)
			})
		})
	}
}

// Requirement 26: open time may come from Retry-After.
func TestRetryAfterProlongsTheOpenTime(t *testing.T) {
	for name, c := range map[string]struct {
		retryAfter string
		wait       time.Duration
	}{
		"longer":          {"30", 30 * time.Second},
		"shorter":         {"2", 5 * time.Second},
		"capped":          {"3600", time.Minute},
		"beyond all time": {strconv.Itoa(math.MaxInt64), time.Minute},
		"negative":        {"-7", 5 * time.Second},
		"nonsense":        {"soon", 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour) // the stage is not made at its own epoch alone
				r := newRig(t, nil)
				time.Sleep(time.Second)
				r.answer = status(http.StatusServiceUnavailable, "Retry-After", c.retryAfter)
				for range 10 {
					require.NoError(t, r.call())
				}
				r.refused(c.wait)
			})
		})
	}
}

func TestTheRetryAfterOfAnEarlierFailureIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.answer = status(http.StatusServiceUnavailable, "Retry-After", "30")
		require.NoError(t, r.call())
		time.Sleep(4 * time.Second)
		r.bad(9)
		r.refused(26 * time.Second)
	})
}

func TestASuccessDisprovesTheRetryAfterBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.answer = status(http.StatusServiceUnavailable, "Retry-After", "30")
		require.NoError(t, r.call())
		r.good(1)
		r.bad(10)
		r.refused(5 * time.Second)
	})
}

func TestRetryAfterOfAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		r.answer = status(http.StatusServiceUnavailable, "Retry-After", "45")
		require.NoError(t, r.call())
		r.refused(45 * time.Second)
	})
}

func TestSeveralProbesMustSucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.ProbeSuccesses = 3 })
		r.bad(10)
		time.Sleep(5 * time.Second)
		r.good(2)
		r.state(circuitbreaker.HalfOpen)
		r.bad(1)
		r.refused(10 * time.Second)
		time.Sleep(10 * time.Second)
		r.good(2)
		r.state(circuitbreaker.HalfOpen) // the successes of before do not count
		r.good(1)
		r.state(circuitbreaker.Closed)
	})
}

func TestNoMoreProbesAtATimeThanAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.Probes, c.ProbeSuccesses = 2, 2 })
		r.bad(10)
		time.Sleep(5 * time.Second)
		first := r.hang()
		time.Sleep(time.Second)
		second := r.hang()
		r.refused(29 * time.Second) // the first lease is the next to expire
		require.NoError(t, first.finish(status(http.StatusOK)))
		third := r.hang()
		r.refused(30 * time.Second)
		require.NoError(t, second.finish(status(http.StatusOK)))
		r.state(circuitbreaker.Closed)
		require.ErrorIs(t, third.finish(fails), errConnection)
		require.Zero(t, r.report().Failures, "late")
	})
}

// Requirement 12: a probe that hangs is replaced after the lease.
func TestAHangingProbeIsReplacedAfterItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.ProbeSuccesses = 2 })
		r.bad(10)
		time.Sleep(5 * time.Second)
		hung := r.hang()
		time.Sleep(30*time.Second - 1)
		r.refused(1)
		time.Sleep(time.Nanosecond)
		r.good(1)
		r.state(circuitbreaker.HalfOpen)
		require.ErrorIs(t, hung.finish(fails), errConnection) // comes too late to matter
		r.state(circuitbreaker.HalfOpen)
		r.good(1)
		r.state(circuitbreaker.Closed)
	})
}

func TestAReplacedProbeDoesNotSpeakForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		hung := r.hang()
		time.Sleep(30 * time.Second)
		next := r.hang()
		require.Error(t, hung.finish(fails))
		r.refused(30 * time.Second)
		require.NoError(t, next.finish(status(http.StatusOK)))
		r.state(circuitbreaker.Closed)
	})
}

func TestALateProbeThatWasNotReplacedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(5 * time.Second)
		hung := r.hang()
		time.Sleep(time.Hour)
		require.NoError(t, hung.finish(status(http.StatusOK)))
		r.state(circuitbreaker.Closed)
	})
}

// Requirement 13: a late result from an earlier state is ignored.
func TestLateResultsAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.ConsecutiveFailures = 2 })
		early := []*hanging{r.hang(), r.hang(), r.hang(), r.hang()}
		r.bad(2)
		r.state(circuitbreaker.Open)
		require.NoError(t, early[0].finish(status(http.StatusOK))) // while open
		r.state(circuitbreaker.Open)
		time.Sleep(5 * time.Second)
		probe := r.hang()
		require.NoError(t, early[1].finish(status(http.StatusOK))) // while half-open
		r.state(circuitbreaker.HalfOpen)
		require.ErrorIs(t, early[2].finish(fails), errConnection)
		r.state(circuitbreaker.HalfOpen)
		require.NoError(t, probe.finish(status(http.StatusOK)))
		r.state(circuitbreaker.Closed)
		require.ErrorIs(t, early[3].finish(fails), errConnection) // in the next closed state
		require.Zero(t, r.report().Calls)
		require.Zero(t, r.report().Consecutive)
	})
}
