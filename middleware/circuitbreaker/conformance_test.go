package circuitbreaker_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestConformance(t *testing.T) {
	closed := func(slow time.Duration) func(testing.TB) middleware.Middleware {
		return func(tb testing.TB) middleware.Middleware {
			// The suite fails 100 calls in a row, and wants to see its 64 probes back.
			s, err := circuitbreaker.New(config(func(c *circuitbreaker.Config) {
				c.ConsecutiveFailures, c.MinCalls, c.SlowCall = 1000, 1000, slow
			}))
			require.NoError(tb, err)
			return s.Wrap
		}
	}
	refusing := middlewaretest.Refuses(func(tb testing.TB) middleware.Middleware {
		s, err := circuitbreaker.New(config(nil), circuitbreaker.WithKey(middleware.Shared))
		require.NoError(tb, err)
		require.True(tb, s.ForceOpen(middleware.Shared(nil)))
		return s.Wrap
	})
	t.Run("closed", func(t *testing.T) { middlewaretest.Run(t, closed(0), refusing) })
	t.Run("closed, with slow calls", func(t *testing.T) { middlewaretest.Run(t, closed(time.Hour)) })
	t.Run("half-open", func(t *testing.T) { middlewaretest.Run(t, halfOpen) })
}

// halfOpen makes a stage whose calls are all probes: a probe that is not given
// back is missed.
func halfOpen(tb testing.TB) middleware.Middleware {
	s, err := circuitbreaker.New(config(func(c *circuitbreaker.Config) {
		c.ConsecutiveFailures, c.OpenFor = 1, time.Nanosecond
		c.OpenGrowth, c.Probes, c.ProbeSuccesses, c.ProbeLease = 1, 64, 1<<30, time.Hour
	}), circuitbreaker.WithKey(middleware.Shared))
	require.NoError(tb, err)
	req, err := http.NewRequest(http.MethodGet, "http://"+host+"/", nil)
	require.NoError(tb, err)
	_, err = s.Wrap(middleware.RoundTripperFunc(fails)).RoundTrip(req)
	require.ErrorIs(tb, err, errConnection)
	time.Sleep(time.Microsecond)
	return s.Wrap
}
