package ratelimit_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// pushback answers the requests for /429/<seconds> as their path says.
func pushback(req *http.Request) *http.Response {
	var after string
	if n, _ := fmt.Sscanf(req.URL.Path, "/429/%s", &after); n == 0 {
		return nil
	}
	return respond(req, http.StatusTooManyRequests, http.Header{"Retry-After": {after}})
}

// Requirement 16.
func TestPushbackHoldsEverybodyBackAndReleasesThemOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Burst = 5 }),
			ratelimit.WithReporter(middleware.Reporter{Observer: &seen}))
		c.up.answer = pushback
		c.call("429/3", 0)
		require.Len(t, seen.list(), 1)
		require.Equal(t, ratelimit.EventPaused, seen.list()[0].Kind)
		require.Equal(t, slog.LevelWarn, seen.list()[0].Level)
		require.Equal(t, 3*time.Second, seen.list()[0].Wait)
		require.Equal(t, http.StatusTooManyRequests, seen.list()[0].Outcome.Status)
		require.Equal(t, 3*time.Second, only(t, c.l).Paused)

		for range 3 {
			c.call("waits", 0)
		}
		time.Sleep(time.Second)
		require.Equal(t, 2*time.Second, only(t, c.l).Paused)
		c.calls.Wait()
		// No burst of 5 after the pause.
		require.Equal(t, []time.Duration{0, 3 * time.Second, 3*time.Second + tick, 3*time.Second + 2*tick}, c.up.times())
		require.Zero(t, only(t, c.l).Paused)
	})
}

func TestPushbackHoldsBackThoseWhoWaitAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.up.answer = pushback
		c.call("429/2", 0)
		c.call("429/5", 0) // gets its token at 2s, and prolongs the pause to 7s
		c.call("a", 0)
		c.call("b", 0)
		c.calls.Wait()
		require.Equal(t, []time.Duration{0, 2 * time.Second, 7 * time.Second, 7*time.Second + tick}, c.up.times())
	})
}

func TestPauseIsOnlyProlonged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Burst = 3 }),
			ratelimit.WithReporter(middleware.Reporter{Observer: &seen}))
		answered := make(chan struct{})
		c.up.answer = func(req *http.Request) *http.Response {
			<-answered // all three are under way
			return pushback(req)
		}
		c.call("429/2", 0)
		c.call("429/9", 0)
		c.call("429/1", 0)
		close(answered)
		c.calls.Wait()
		require.Equal(t, 9*time.Second, only(t, c.l).Paused)
		require.Len(t, seen.list(), 1, "one pause, one event")
	})
}

func TestPauseRefusesAtOnceWhoCannotWaitForItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.MaxWait = 10 * time.Second }))
		answered := make(chan struct{})
		c.up.answer = func(req *http.Request) *http.Response {
			<-answered
			return pushback(req)
		}
		c.call("429/5", 0)
		short := c.call("short", 3*time.Second)
		long := c.call("long", 6*time.Second)
		close(answered)
		synctest.Wait()
		require.True(t, short.done.Load(), "it is told when the pause begins")
		require.Zero(t, short.took)
		require.ErrorIs(t, short.err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, rejection(t, short.err).RetryAfter)
		require.ErrorIs(t, c.call("late", 4*time.Second).err, ratelimit.ErrTooLate)
		c.calls.Wait()
		require.NoError(t, long.err)
		require.Equal(t, 5*time.Second, long.took)
	})
}

// Requirement 8: what an upstream says is bounded.
func TestHintIsBounded(t *testing.T) {
	for _, c := range []struct {
		name     string
		hint     string
		maxPause time.Duration
		pause    time.Duration
	}{
		{name: "within the bound", hint: "30", maxPause: time.Minute, pause: 30 * time.Second},
		{name: "beyond it", hint: "1743422400", maxPause: time.Minute, pause: time.Minute},
		{name: "overflow", hint: "99999999999999999999", maxPause: time.Minute, pause: time.Minute},
		{name: "come at once", hint: "0", maxPause: time.Minute},
		{name: "negative", hint: "-5", maxPause: time.Minute},
		{name: "unreadable", hint: "soon", maxPause: time.Minute},
		{name: "hints are ignored", hint: "30", maxPause: 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.MaxPause = c.maxPause }))
				caller.up.answer = pushback
				caller.call("429/"+c.hint, 0)
				caller.calls.Wait()
				require.Equal(t, c.pause, only(t, caller.l).Paused)
			})
		})
	}
}

func TestPauseIsForOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(nil))
		c.up.answer = pushback
		c.call("429/60", 0)
		start := time.Now()
		require.NoError(t, get(t.Context(), c.l.Wrap(c.up), "http://b/"))
		require.Zero(t, time.Since(start))
	})
}

func TestOnlyPushbackPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Burst = 9 }))
		for _, status := range []int{200, 400, 402, 500, 503} {
			c.up.answer = func(req *http.Request) *http.Response {
				return respond(req, status, http.Header{"Retry-After": {"60"}})
			}
			c.call("x", 0)
			require.Zero(t, only(t, c.l).Paused, status)
		}
	})
}

func TestUpdateAndTokensGivenBackKeepThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, config(func(cfg *ratelimit.Config) { cfg.Burst = 3 }))
		c.up.answer = pushback
		refusing := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return nil, middleware.ErrRejected
		})
		c.calls.Go(func() { _ = get(t.Context(), c.l.Wrap(refusing), "http://a/") })
		synctest.Wait()
		c.call("429/10", 0)
		c.call("a", 0)
		c.call("b", 0)
		c.call("c", 0)
		time.Sleep(2 * time.Second) // by now a token has been given back
		require.NoError(t, c.l.Update(config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 5, 3 })))
		require.Equal(t, 8*time.Second, only(t, c.l).Paused)
		c.calls.Wait()
		at := 10 * time.Second
		require.Equal(t, []time.Duration{0, at, at, at + 2*tick}, c.up.times())
	})
}
