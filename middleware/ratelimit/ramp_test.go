package ratelimit_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// ramped lets 1000 requests a second go, and comes back in 2 seconds after a pause.
func ramped(change func(*ratelimit.Config)) ratelimit.Config {
	return config(func(cfg *ratelimit.Config) {
		cfg.Requests, cfg.Burst, cfg.Ramp, cfg.Queue = 1000, 1000, 2*time.Second, 10_000
		if change != nil {
			change(cfg)
		}
	})
}

// Requirement 16: after a pause the rate begins at half of what the upstream
// accepted, is back there after ramp, and goes on to the configured one.
func TestRateComesBackSlowlyAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(nil))
		for range 100 {
			c.call("accepted", 0)
		}
		c.up.answer = pushback
		c.call("429/1", 0)
		c.up.answer = nil
		require.InDelta(t, 60, only(t, c.l).Rate, 10, "half of 100 in the second until the pause is over")
		before := len(c.up.times())
		for range 2000 {
			c.call("x", 0)
		}
		c.calls.Wait()
		in := func(from, to time.Duration) (n int) {
			for _, at := range c.up.times()[before:] {
				if from <= at && at < to {
					n++
				}
			}
			return n
		}
		pause, second := time.Second, time.Second
		require.Zero(t, in(0, pause), "nobody during the pause")
		require.InDelta(t, 77, in(pause, pause+second), 8, "on the way back")
		require.InDelta(t, 99, in(pause+second, pause+2*second), 4, "back")
		require.InDelta(t, 100, in(pause+2*second, pause+3*second), 4, "it stays there for a while")
		require.Greater(t, in(pause+5*second, pause+6*second), 200, "and then goes on")
		require.Equal(t, 1000.0, only(t, c.l).Rate)
	})
}

func TestRampIsForecast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(func(cfg *ratelimit.Config) { cfg.MaxWait = 3 * time.Second }))
		c.up.answer = pushback
		c.call("429/1", 0)
		var waiting []*result
		for range 200 {
			waiting = append(waiting, c.call("x", 0))
		}
		c.calls.Wait()
		served := 0
		for _, r := range waiting {
			if r.err == nil {
				served++
				continue
			}
			require.ErrorIs(t, r.err, ratelimit.ErrTooLate)
			require.Zero(t, r.took, "told at once")
		}
		require.Equal(t, 2, served, "as nothing was ever accepted, it begins with half a request a second")
	})
}

// Pushbacks that come back during the pause make the estimate better: at first
// nobody knows how many of those under way are accepted.
func TestLatePushbacksLowerTheEstimate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(nil))
		release := make(chan struct{})
		c.up.answer = func(req *http.Request) *http.Response {
			if req.URL.Path == "/late" {
				<-release
				return respond(req, http.StatusTooManyRequests, nil) // without a hint of its own
			}
			return pushback(req)
		}
		for range 300 {
			c.call("late", 0)
		}
		c.call("429/1", 0)
		require.InDelta(t, 180, only(t, c.l).Rate, 30)
		close(release)
		synctest.Wait()
		require.InDelta(t, 0.6, only(t, c.l).Rate, 0.1, "none was accepted")
		require.EqualValues(t, 301, only(t, c.l).PushedBack)
		c.calls.Wait()
	})
}

func TestQuietTimeBeforeABurstSaysNothingOfTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(nil))
		c.call("alone", 0)
		time.Sleep(time.Minute)
		for range 300 {
			c.call("accepted", 0)
		}
		c.up.answer = pushback
		c.call("429/1", 0)
		require.InDelta(t, 180, only(t, c.l).Rate, 30, "half of 300 a second")
	})
}

func TestWhatWasNotSentWasNotAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(nil))
		up := c.inner
		c.inner = middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, middleware.ErrRejected })
		for range 300 {
			c.call("refused further in", 0)
		}
		c.inner, c.up.answer = up, pushback
		c.call("429/1", 0)
		require.InDelta(t, 0.6, only(t, c.l).Rate, 0.1)
	})
}

func TestPushbackWithoutAHintIsNoPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(nil))
		c.up.answer = func(req *http.Request) *http.Response { return respond(req, http.StatusTooManyRequests, nil) }
		c.call("x", 0)
		c.calls.Wait()
		require.Zero(t, only(t, c.l).Paused)
		require.Equal(t, 1000.0, only(t, c.l).Rate)
		require.EqualValues(t, 1, only(t, c.l).PushedBack)
	})
}

func TestRampNeverExceedsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, ramped(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 10, 100 }))
		for range 90 {
			c.call("accepted", 0)
		}
		c.up.answer = pushback
		c.call("429/1", 0)
		c.up.answer = nil
		require.Equal(t, 10.0, only(t, c.l).Rate)
		require.NoError(t, c.l.Update(ramped(func(cfg *ratelimit.Config) { cfg.Requests = 500 })))
		require.Less(t, only(t, c.l).Rate, 100.0, "the ramp holds for a new rate, too")
	})
}

// A 503 speaks for one server of many, as a rule, so that is a setting.
func TestPauseOnBusy(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var seen events
			c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.PauseOnBusy = on }),
				ratelimit.WithReporter(middleware.Reporter{Observer: &seen}))
			c.up.answer = func(req *http.Request) *http.Response {
				return respond(req, http.StatusServiceUnavailable, http.Header{"Retry-After": {"5"}})
			}
			c.call("x", 0)
			if on {
				require.Equal(t, 5*time.Second, only(t, c.l).Paused)
				require.Equal(t, middleware.Busy, seen.list()[0].Outcome.Verdict)
			} else {
				require.Zero(t, only(t, c.l).Paused)
			}
			c.calls.Wait()
		})
	}
}
