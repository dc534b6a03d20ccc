package ratelimit_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func TestRequestsTakeAsLongAsTheRateSays(t *testing.T) {
	for _, c := range []struct {
		name            string
		requests, burst int
		per             time.Duration
		calls           int
		first, last     time.Duration // when those that had to wait arrive
	}{
		{name: "evenly spaced", requests: 10, per: time.Second, burst: 1, calls: 11, first: 100 * time.Millisecond, last: time.Second},
		{name: "after a burst", requests: 100, per: time.Second, burst: 10, calls: 110, first: 10 * time.Millisecond, last: time.Second},
		{name: "slower than one a second", requests: 2, per: time.Minute, burst: 1, calls: 4, first: 30 * time.Second, last: 90 * time.Second},
		{name: "a fast rate", requests: 1000, per: time.Second, burst: 1, calls: 1001, first: time.Millisecond, last: time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Per, cfg.Burst = c.requests, c.per, c.burst }))
				up := newUpstream()
				rt := l.Wrap(up)
				var calls sync.WaitGroup
				for range c.calls {
					calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
				}
				calls.Wait()
				times := up.times()
				require.Len(t, times, c.calls)
				for _, at := range times[:c.burst] {
					require.Zero(t, at)
				}
				require.Equal(t, c.first, times[c.burst])
				require.Equal(t, c.last, times[c.calls-1])
				require.Zero(t, only(t, l).Waiting)
			})
		})
	}
}

func TestRateThatDoesNotDivideASecondDoesNotDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Queue = 300, 5000 })).Wrap(newUpstream())
		start := time.Now()
		var calls sync.WaitGroup
		for range 3001 {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, "http://a/")) })
		}
		calls.Wait()
		require.InDelta(t, 10*time.Second, time.Since(start), 1000, "within a microsecond")
	})
}

// Requirement 30.
func TestKeysDoNotHinderEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(nil))
		up := newUpstream()
		rt := l.Wrap(up)
		var calls sync.WaitGroup
		for i := range 6 {
			calls.Go(func() { require.NoError(t, get(t.Context(), rt, fmt.Sprintf("http://host%d/", i%2))) })
		}
		calls.Wait()
		require.Equal(t, []time.Duration{0, 0, tick, tick, 2 * tick, 2 * tick}, up.times())
		require.Len(t, l.Stats(), 2)
	})
}

func TestWhichRequestsShareARate(t *testing.T) {
	byPath := func(req *http.Request) string { return req.URL.Path }
	for _, c := range []struct {
		name, key string
		opts      []ratelimit.Option
		last      time.Duration
	}{
		{name: "those to an authority", key: middleware.KeyAuthority, last: tick},
		{name: "all", key: middleware.KeyShared, last: 3 * tick},
		{name: "as a function says", key: middleware.KeyShared, opts: []ratelimit.Option{ratelimit.WithKey(byPath)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Key = c.key }), c.opts...)
				up := newUpstream()
				rt := l.Wrap(up)
				var calls sync.WaitGroup
				for _, url := range []string{"http://a/1", "http://A:80/2", "http://b/3", "http://b/4"} {
					calls.Go(func() { require.NoError(t, get(t.Context(), rt, url)) })
				}
				calls.Wait()
				require.Equal(t, c.last, up.times()[3])
			})
		})
	}
}

// Requirement 30: the number of keys is bounded, and so is what goes through by using many.
func TestKeysBeyondTheBoundShareARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(func(cfg *ratelimit.Config) { cfg.MaxKeys = 2 }))
		up := newUpstream()
		rt := l.Wrap(up)
		for i := range 10 {
			require.NoError(t, get(t.Context(), rt, fmt.Sprintf("http://host%d/", i)))
			require.LessOrEqual(t, len(l.Stats()), 3, "two keys and the shared one")
		}
		require.Equal(t, 3*tick, up.times()[9], "no more than three in each tick")

		time.Sleep(tick) // all buckets are full again: a new key takes an old one's place
		before := time.Now()
		require.NoError(t, get(t.Context(), rt, "http://new1/"))
		require.NoError(t, get(t.Context(), rt, "http://new2/"))
		require.Equal(t, before, time.Now())
	})
}

func TestWaitIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen events
		l := newStage(t, config(nil), ratelimit.WithReporter(middleware.Reporter{Stage: "rate_limit/outer", Observer: &seen}))
		var waited time.Duration
		outer := func(next http.RoundTripper) http.RoundTripper {
			return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
				ex, inner := middleware.Join(req)
				defer ex.Leave(req, &resp, &err)
				resp, err = next.RoundTrip(inner)
				waited = ex.Waited()
				return resp, err
			})
		}
		rt := middleware.Chain(newUpstream(), outer, l.Wrap)
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		require.Zero(t, waited)
		require.Empty(t, seen.list(), "a request that does not wait is no event")
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		require.Equal(t, tick, waited)
		require.Equal(t, []middleware.Event{{
			Stage: "rate_limit/outer", Kind: ratelimit.EventQueued, Level: slog.LevelDebug, Key: "a", Wait: tick,
		}}, seen.list())
	})
}

type closeSpy struct {
	*strings.Reader
	closed bool
}

func (c *closeSpy) Close() error { c.closed = true; return nil }

// Requirement 6.
func TestRefusalClosesTheRequestsBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Queue = 0 })).Wrap(newUpstream())
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		body := &closeSpy{Reader: strings.NewReader("x")}
		req, err := http.NewRequest(http.MethodPost, "http://a/", body)
		require.NoError(t, err)
		resp, err := rt.RoundTrip(req)
		require.Nil(t, resp)
		require.ErrorIs(t, err, ratelimit.ErrQueueFull)
		require.True(t, body.closed)
	})
}

func TestTokenOfARequestThatIsRefusedFurtherInIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(func(cfg *ratelimit.Config) { cfg.Burst = 2 }))
		refusing := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			return nil, &middleware.RejectedError{Stage: "semaphore", Err: errors.New("full")}
		})
		for range 5 {
			require.ErrorIs(t, get(t.Context(), l.Wrap(refusing), "http://a/"), middleware.ErrRejected)
		}
		stats := only(t, l)
		require.Equal(t, 2.0, stats.Tokens, "as many as before, and no more than burst")
		require.Zero(t, stats.Admitted)

		broken := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			return nil, errors.New("connection reset")
		})
		require.Error(t, get(t.Context(), l.Wrap(broken), "http://a/"))
		require.Equal(t, 1.0, only(t, l).Tokens, "a request that was sent costs its token")
	})
}

func TestTokenThatIsGivenBackGoesToTheHeadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, config(nil))
		slow := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			time.Sleep(tick / 2)
			return nil, middleware.ErrRejected
		})
		up := newUpstream()
		var calls sync.WaitGroup
		calls.Go(func() { require.Error(t, get(t.Context(), l.Wrap(slow), "http://a/")) })
		synctest.Wait()
		calls.Go(func() { require.NoError(t, get(t.Context(), l.Wrap(up), "http://a/")) })
		calls.Wait()
		require.Equal(t, []time.Duration{tick / 2}, up.times())
	})
}

func TestConfiguration(t *testing.T) {
	require.NoError(t, ratelimit.DefaultConfig().Validate())

	_, err := ratelimit.New(ratelimit.Config{})
	require.ErrorContains(t, err, "rate_limit: ")
	require.ErrorContains(t, err, "DefaultConfig")

	_, err = ratelimit.New(ratelimit.Config{
		Queue: -1, MaxWait: -2, MaxPause: -3, Key: "host", Units: ratelimit.UnitsConfig{Limit: 1, Burst: -4}, Ageing: -5, Ramp: -6,
	})
	for _, problem := range []string{
		"units.per: 0s", "units.burst: -4", "ageing: -5ns", "ramp: -6ns", "requests: 0", "per: 0s", "burst: 0", "queue: -1", "max_wait: -2ns", "max_pause: -3ns", `key: "host"`, "max_keys: 0",
	} {
		require.ErrorContains(t, err, problem)
	}

	deaf := ratelimit.DefaultConfig()
	deaf.Learn, deaf.MaxPause, deaf.Units.Limit = true, 0, -1
	require.ErrorContains(t, deaf.Validate(), "max_pause: 0")
	require.ErrorContains(t, deaf.Validate(), "units.limit: -1")

	none := ratelimit.DefaultConfig()
	none.Queue, none.MaxWait, none.MaxPause = 0, 0, 0
	require.NoError(t, none.Validate(), "who does not wait needs no max_wait")
}
