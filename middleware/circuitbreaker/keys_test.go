package circuitbreaker_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// to makes a call to a host.
func (r *rig) to(host string) error {
	req := r.request(r.t.Context())
	req.URL.Host = host
	return read(r.rt.RoundTrip(req))
}

func (r *rig) keys() (keys []string) {
	for _, k := range r.stage.Stats() {
		keys = append(keys, k.Key)
	}
	return keys
}

func one(c *circuitbreaker.Config) { c.ConsecutiveFailures = 1 }

// Requirement 30: one breaker for each authority, unless asked otherwise.
func TestEachAuthorityHasABreaker(t *testing.T) {
	for name, c := range map[string]struct {
		key     string
		opts    []circuitbreaker.Option
		shared  bool
		reports []string
	}{
		"by authority":  {key: "authority", reports: []string{"a:8080", "b"}},
		"shared":        {key: "shared", shared: true, reports: []string{""}},
		"by a function": {key: "authority", opts: []circuitbreaker.Option{circuitbreaker.WithKey(func(*http.Request) string { return "model" })}, shared: true, reports: []string{"model"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(cfg *circuitbreaker.Config) { one(cfg); cfg.Key = c.key }, c.opts...)
			r.answer = fails
			require.ErrorIs(t, r.to("a:8080"), errConnection)
			require.ErrorIs(t, r.to("A:8080"), circuitbreaker.ErrOpen)
			r.answer = status(http.StatusOK)
			if c.shared {
				require.ErrorIs(t, r.to("b"), circuitbreaker.ErrOpen)
			} else {
				require.NoError(t, r.to("b"))
			}
			require.Equal(t, c.reports, r.keys())
		})
	}
}

// An LLM API is overloaded model by model.
func TestEachModelHasABreaker(t *testing.T) {
	r := newRig(t, func(cfg *circuitbreaker.Config) { one(cfg); cfg.Key = middleware.KeyModel })
	ask := func(model string) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.test/v1/chat/completions",
			strings.NewReader(`{"messages": [], "model": "`+model+`"}`))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		return read(r.rt.RoundTrip(req))
	}
	r.answer = fails
	require.ErrorIs(t, ask("large"), errConnection)
	require.ErrorIs(t, ask("large"), circuitbreaker.ErrOpen)
	r.answer = status(http.StatusOK)
	require.NoError(t, ask("small"))
	require.NoError(t, r.to("api.test"), "a request without a model")
	require.Equal(t, []string{"api.test", "api.test/large", "api.test/small"}, r.keys())
}

// Requirement 30: a bound on how many keys are kept.
func TestTheNumberOfBreakersIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { one(c); c.MaxKeys = 3 })
		r.answer = fails
		require.ErrorIs(t, r.to("bad"), errConnection)
		r.answer = status(http.StatusOK)
		for i := range 100 {
			require.NoError(t, r.to(fmt.Sprint("good", i)))
		}
		require.ErrorIs(t, r.to("bad"), circuitbreaker.ErrOpen, "what matters is kept")
		require.Equal(t, []string{"bad", "good98", "good99"}, r.keys())
	})
}

func TestKeysBeyondTheBoundShareABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { one(c); c.MaxKeys = 1 })
		r.answer = fails
		require.ErrorIs(t, r.to("bad"), errConnection)
		require.ErrorIs(t, r.to("x"), errConnection)
		err := r.to("y")
		require.ErrorIs(t, err, circuitbreaker.ErrOpen)
		require.EqualError(t, err, "circuit_breaker: circuit is open, come back in 5s")
	})
}

// A breaker that nobody uses any more makes room, in whichever state it was left.
func TestAnAbandonedBreakerIsForgotten(t *testing.T) {
	bad := func(t *testing.T, r *rig, n int) {
		r.answer = fails
		for range n {
			require.ErrorIs(t, r.to("old"), errConnection)
		}
	}
	for name, c := range map[string]struct {
		leave func(*testing.T, *rig)
		keep  time.Duration // the longest time that it is kept for
	}{
		"closed, all well": {func(t *testing.T, r *rig) {
			r.answer = status(http.StatusOK)
			require.NoError(t, r.to("old"))
		}, -1},
		"closed with failures": {func(t *testing.T, r *rig) { bad(t, r, 3) }, time.Minute},
		"open":                 {func(t *testing.T, r *rig) { bad(t, r, 10) }, 5*time.Second + time.Minute},
		"half-open": {func(t *testing.T, r *rig) {
			bad(t, r, 10)
			time.Sleep(5 * time.Second)
			r.answer = refuses
			require.ErrorIs(t, r.to("old"), middleware.ErrRejected)
		}, time.Minute},
		"closed after an opening": {func(t *testing.T, r *rig) {
			bad(t, r, 10)
			time.Sleep(5 * time.Second)
			r.answer = status(http.StatusOK)
			require.NoError(t, r.to("old"))
		}, time.Minute - 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(cfg *circuitbreaker.Config) { cfg.MaxKeys = 1 })
				c.leave(t, r)
				r.answer = status(http.StatusOK)
				if c.keep >= 0 {
					time.Sleep(c.keep)
					require.NoError(t, r.to("new"))
					require.Contains(t, r.keys(), "old")
					time.Sleep(time.Nanosecond)
				}
				require.NoError(t, r.to("new"))
				require.NotContains(t, r.keys(), "old")
				require.Contains(t, r.keys(), "new")
			})
		})
	}
}

func TestStateOfAnUnknownKeyMakesNone(t *testing.T) {
	r := newRig(t, nil)
	require.Equal(t, circuitbreaker.Closed, r.stage.State("nobody"))
	require.Empty(t, r.stage.Stats())
}
