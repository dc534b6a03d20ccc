package circuitbreaker_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// slowOnly has nothing but slow calls open the breaker: two seconds, half of them.
func slowOnly(c *circuitbreaker.Config) {
	c.FailureRate, c.ConsecutiveFailures = 0, 0
	c.SlowCall, c.SlowCallRate = 2*time.Second, 0.5
}

func after(d time.Duration, answer func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		time.Sleep(d)
		return answer(req)
	}
}

// Requirement 26: slow-call rate opens a breaker as failures do.
func TestOpensAtTheSlowCallRate(t *testing.T) {
	for name, windowCalls := range map[string]int{"window of time": 0, "window of calls": 100} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *circuitbreaker.Config) {
					slowOnly(c)
					c.Window, c.WindowCalls = time.Hour, windowCalls
				})
				r.answer = after(2*time.Second-1, status(http.StatusOK))
				for range 10 {
					require.NoError(t, r.call())
				}
				r.answer = after(2*time.Second, status(http.StatusOK))
				for range 9 {
					require.NoError(t, r.call())
				}
				require.EqualValues(t, 9, r.report().Slow)
				r.state(circuitbreaker.Closed)
				require.NoError(t, r.call())
				r.refused(5 * time.Second)
				require.Equal(t, "slow_call_rate", r.events[0].Attrs[0].Value.String())
			})
		})
	}
}

func TestWaitingInQueuesBelowIsNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slowOnly)
		queue := func(d time.Duration) middleware.Middleware {
			return func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
					ex, inner := middleware.Join(req)
					defer ex.Leave(req, &resp, &err)
					time.Sleep(d)
					ex.AddWait(d)
					return next.RoundTrip(inner)
				})
			}
		}
		upstream := middleware.RoundTripperFunc(after(time.Second, status(http.StatusOK)))
		rt := middleware.Chain(upstream, queue(time.Hour), r.stage.Wrap, queue(time.Minute))
		require.NoError(t, read(rt.RoundTrip(r.request(t.Context()))))
		require.EqualValues(t, 1, r.report().Calls)
		require.Zero(t, r.report().Slow)

		upstream = after(2*time.Second, status(http.StatusOK))
		rt = middleware.Chain(upstream, queue(time.Hour), r.stage.Wrap, queue(time.Minute))
		require.NoError(t, read(rt.RoundTrip(r.request(t.Context()))))
		require.EqualValues(t, 1, r.report().Slow, "what was waited above does not make up for it")
	})
}

func TestALongStreamIsNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slowOnly)
		r.answer = status(http.StatusOK)
		resp, err := r.rt.RoundTrip(r.request(t.Context()))
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
		require.NoError(t, read(resp, nil))
		require.EqualValues(t, 1, r.report().Calls)
		require.Zero(t, r.report().Slow)
	})
}

func TestASlowProbeOpensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.SlowCall = 2 * time.Second })
		r.bad(10)
		time.Sleep(5 * time.Second)
		r.answer = after(3*time.Second, status(http.StatusOK))
		require.NoError(t, r.call())
		r.refused(10 * time.Second)
	})
}

func TestASlowCallThatWasCancelledCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, slowOnly)
		h := r.hang()
		time.Sleep(time.Minute)
		require.Error(t, h.stop())
		require.Zero(t, r.report().Slow)
		require.Zero(t, r.report().Calls)
	})
}
