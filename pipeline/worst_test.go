package pipeline_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// thrice is a stage of a user's own that repeats each request whatever comes of it.
func thrice(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		for range 2 {
			if resp, err := next.RoundTrip(req.Clone(req.Context())); err == nil {
				_ = resp.Body.Close()
			}
		}
		return next.RoundTrip(req)
	})
}

// The worst case that a pipeline states is what a call makes of an upstream
// that fails always.
func TestTheWorstCaseIsWhatHappens(t *testing.T) {
	own := registry(t, pipeline.Define("thrice", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
		return pipeline.Stage[probe]{Wrap: thrice, Attempts: func(probe) int { return 3 }}, nil
	}))
	attempts := func(n int) map[string]any {
		return map[string]any{"max_attempts": n, "budget": map[string]any{"enabled": false}}
	}
	elsewhere := func(names ...string) map[string]any {
		var answers []any
		for _, n := range names {
			answers = append(answers, map[string]any{"upstream": map[string]any{"name": n, "url": "http://" + n + ".test"}})
		}
		return map[string]any{"answers": answers}
	}
	for order, want := range map[string]struct{ asked, stated int }{
		"":                                  {1, 1},
		"retry":                             {4, 4},
		"fallback":                          {3, 3},
		"fallback retry":                    {4 + 1 + 1, 6}, // max_attempts are the call's, but each upstream is asked
		"fallback cache retry":              {4 + 1 + 1, 6}, // the cache shares requests, and sends them by itself
		"retry fallback":                    {4 * 3, 12},
		"retry retry/b":                     {4, 4},
		"retry/b retry":                     {2, 4}, // where retry/b is skipped
		"thrice":                            {3, 3},
		"thrice thrice/b":                   {9, 9},
		"retry thrice":                      {12, 12},
		"thrice retry":                      {3 + 4 - 1, 6},
		"fallback thrice retry":             {9 + 4 - 1, 12},
		"fallback retry/b thrice":           {(3 + 2 - 1) * 3, 12},
		"retry fallback retry/b":            {12, 12},
		"fallback retry/b fallback/b retry": {(3 + 2 - 1) * 3, 9 + 4 - 1},
	} {
		t.Run(order, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				down := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					asked++
					return &http.Response{StatusCode: 503, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("busy")), Request: req}, nil
				})
				all := map[string]any{"retry": attempts(4), "retry/b": attempts(2), "fallback": elsewhere("b", "c"), "fallback/b": elsewhere("d", "e")}
				cfg := pipeline.Config{Order: strings.Fields(order), Stages: map[string]any{}}
				for _, id := range cfg.Order {
					if settings, ok := all[id]; ok {
						cfg.Stages[id] = settings
					}
				}
				p, err := own.New("api", cfg, pipeline.WithBase(down))
				require.NoError(t, err)
				resp, err := p.Client().Get("http://a.test/")
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.NoError(t, p.Stop(t.Context()))

				require.Equal(t, want.asked, asked)
				require.Contains(t, p.String(), fmt.Sprintf("at most %d upstream request", want.stated))
			})
		})
	}
}
