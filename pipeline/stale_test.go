package pipeline_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

func staleConfig(order ...string) pipeline.Config {
	return pipeline.Config{Order: order, Stages: map[string]any{
		"fallback": map[string]any{"answers": []any{map[string]any{"stale": map[string]any{"max_age": "1h"}}}},
	}}
}

// failing answers once, and then never again.
func failing() middleware.RoundTripperFunc {
	var calls atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		status := 503
		if calls.Add(1) == 1 {
			status = 200
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Cache-Control": {"max-age=60"}}, Body: http.NoBody, Request: req}, nil
	}
}

func TestFallbackTakesStaleAnswersFromTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := pipeline.New("api", staleConfig("fallback", "cache"), pipeline.WithBase(failing()))
		require.NoError(t, err)
		call := func() *http.Response {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
			resp, err := p.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			return resp
		}
		require.Equal(t, 200, call().StatusCode)
		for _, reload := range []func() error{
			func() error { return nil },
			func() error { return p.Reload(t.Context(), staleConfig("fallback", "cache", "retry")) },
		} {
			require.NoError(t, reload())
			time.Sleep(10 * time.Minute)
			resp := call()
			require.Equal(t, 200, resp.StatusCode, "%v", resp.Header)
			require.Equal(t, "stale; reason=busy", resp.Header.Get("Headgate-Fallback"))
			require.Contains(t, resp.Header.Get("Cache-Status"), "headgate; hit; ttl=-")
		}
		time.Sleep(time.Hour)
		require.Equal(t, 503, call().StatusCode, "older than max_age")
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestStaleAnswerNeedsACache(t *testing.T) {
	_, err := pipeline.New("api", staleConfig("fallback"), pipeline.WithBase(failing()))
	require.ErrorContains(t, err, "pipeline api: fallback: answers[0].stale: there is no cache to take it from")
	p, err := pipeline.New("api", pipeline.Config{Order: []string{"fallback"}}, pipeline.WithBase(failing()))
	require.NoError(t, err)
	require.Error(t, p.Reload(t.Context(), staleConfig("fallback")))
	require.NoError(t, p.Reload(t.Context(), staleConfig("fallback", "cache")), "with the cache it comes anew")
	for _, want := range []string{"", "stale; reason=busy"} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example.com/", nil)
		req.Header.Set("Cache-Control", map[bool]string{true: "max-age=0", false: ""}[want != ""])
		resp, err := p.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, want, resp.Header.Get("Headgate-Fallback"))
		require.NoError(t, resp.Body.Close())
	}
}
