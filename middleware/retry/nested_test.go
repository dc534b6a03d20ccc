package retry_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

// nestings are the ways in which one retry stage comes to stand within another.
var nestings = map[string]func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper{
	"in one chain": func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, outer, inner)
	},
	"by hand": func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return outer(inner(base))
	},
	"a chain as the base of another": func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return middleware.Chain(middleware.Chain(base, inner), outer)
	},
	"a stage that calls with the request's context": func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		client := middleware.Chain(base, inner)
		return middleware.Chain(roundTripper(func(req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancel(req.Context())
			defer cancel()
			return do(ctx, client, req.Method, nil)
		}), outer)
	},
}

// Requirement 31: retries within retries do not multiply.
func TestNestedRetriesDoNotMultiply(t *testing.T) {
	for name, nest := range nestings {
		for what, a := range map[string]any{"answers": 503, "errors": errReset} {
			t.Run(name+", "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					outer, inner := newStage(t, exact(nil)), newStage(t, exact(nil))
					up := &script{answers: []any{a}}
					_, _ = do(t.Context(), nest(up, outer.Wrap, inner.Wrap), "GET", nil)
					require.Len(t, up.times, 3)
					require.EqualValues(t, 1, outer.Stats().GaveUp)
				})
			})
		}
	}
}

// inOneChain are the nestings in which the stages share an exchange.
func inOneChain(name string) bool { return name == "in one chain" || name == "by hand" }

// In one chain the inner stage makes one attempt, whatever comes of it.
func TestAnInnerStageOfTheSameChainNeverRepeats(t *testing.T) {
	for name, nest := range nestings {
		if !inOneChain(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer := newStage(t, exact(func(c *retry.Config) { c.MaxAttempts = 2 }))
				inner := newStage(t, exact(func(c *retry.Config) { c.MaxAttempts = 5 }))
				up := &script{answers: []any{503, 503, 200}}
				resp, err := do(t.Context(), nest(up, outer.Wrap, inner.Wrap), "GET", nil)
				require.NoError(t, err)
				require.Equal(t, "status 503", text(t, resp))
				require.Len(t, up.times, 2)
				require.Zero(t, inner.Stats().Attempts)
				require.EqualValues(t, 2, inner.Stats().Nested)
			})
		})
	}
	t.Run("stages side by side are not within each other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			stage := newStage(t, exact(nil))
			for range 2 {
				up := &script{answers: []any{503, 200}}
				resp, err := do(t.Context(), middleware.Chain(up, stage.Wrap), "GET", nil)
				require.NoError(t, err)
				require.Equal(t, 200, resp.StatusCode)
				text(t, resp)
			}
			require.Zero(t, stage.Stats().Nested)
		})
	})
}

// The stage further out makes the attempts that the inner one may not make.
// Its retries pass through the inner one, which is told of it.
func TestRetriesPassThroughAnInnerStage(t *testing.T) {
	for name, nest := range nestings {
		if inOneChain(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var kinds []string
				outer := newStage(t, exact(func(c *retry.Config) { c.NonIdempotent = true }))
				inner := newStage(t, exact(nil), retry.WithReporter(middleware.Reporter{Observer: middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
					kinds = append(kinds, e.Kind)
				})}))
				up := &script{answers: []any{500, 503, 503}}
				resp, err := do(t.Context(), nest(up, outer.Wrap, inner.Wrap), "POST", nil)
				require.NoError(t, err)
				require.Equal(t, "status 503", text(t, resp))
				require.Len(t, up.times, 3, "the inner one would repeat a 503")
				require.Equal(t, []string{retry.EventGaveUp, retry.EventNested, retry.EventNested}, kinds)

				s := inner.Stats()
				require.EqualValues(t, 2, s.Nested)
				require.EqualValues(t, 1, s.Attempts)
				require.Equal(t, []retry.BudgetStats{{Key: "a", Calls: 1, Left: 30}}, s.Budgets)
			})
		})
	}
}

// An attempt that is over is nobody's: who keeps its context retries by himself.
func TestMarkEndsWithItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept context.Context
		up := &script{answers: []any{503, func(req *http.Request) (*http.Response, error) {
			kept = req.Context()
			return answer(req, 200, nil), nil
		}}}
		resp, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), "GET", nil)
		require.NoError(t, err)
		text(t, resp)

		up = &script{answers: []any{503, 200}}
		resp, err = do(context.WithoutCancel(kept), newStage(t, exact(nil)).Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
	})
}
