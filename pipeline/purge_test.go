package pipeline_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/pipeline"
)

// counting answers every request with the number of requests so far, fresh for an hour.
func counting() middleware.RoundTripperFunc {
	var calls atomic.Int64
	return func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		resp := response(req, http.StatusOK, io.NopCloser(strings.NewReader(fmt.Sprint(calls.Add(1)))))
		resp.Header.Set("Cache-Control", "max-age=3600")
		return resp, nil
	}
}

// bodyOf is the body of the answer to a request.
func bodyOf(t testing.TB, rt http.RoundTripper, req *http.Request) string {
	t.Helper()
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(body)
}

func TestWhatTheCacheKeepsIsPurgedThroughThePipeline(t *testing.T) {
	for name, order := range map[string][]string{"one cache": {"cache"}, "two of them": {"cache/outer", "cache/inner"}} {
		t.Run(name, func(t *testing.T) {
			routes := map[string]any{"routes": []any{map[string]any{"method": "POST", "ttl": "1h"}}}
			p := build(t, pipeline.Config{Order: order, Stages: map[string]any{order[0]: routes, order[len(order)-1]: routes}}, counting())
			const url = "http://api.example.com/v1/models"
			get := func() *http.Request { return request(t, httpcache.Tags(t.Context(), "models"), http.MethodGet, url) }
			prompt := func() *http.Request {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("hello"))
				require.NoError(t, err)
				return req
			}
			for what, c := range map[string]struct {
				request func() *http.Request
				purge   func() error
			}{
				"a URL":     {get, func() error { return p.Purge(get()) }},
				"a content": {prompt, func() error { return p.Purge(prompt()) }},
				"a prefix":  {get, func() error { return p.PurgePrefix(t.Context(), "http://api.example.com/v1/") }},
				"a tag":     {get, func() error { return p.PurgeTags(t.Context(), "models") }},
			} {
				before := bodyOf(t, p, c.request())
				require.Equal(t, before, bodyOf(t, p, c.request()), "%s: it is kept", what)
				require.NoError(t, c.purge(), what)
				require.NotEqual(t, before, bodyOf(t, p, c.request()), what)
			}
		})
	}
}

func TestWithoutACacheThereIsNothingToPurge(t *testing.T) {
	p := build(t, pipeline.Config{Order: []string{"retry"}}, ok)
	require.NoError(t, p.Purge(request(t, t.Context(), http.MethodGet, "http://api.example.com/")))
	require.NoError(t, p.PurgePrefix(t.Context(), "http://api.example.com/"))
	require.NoError(t, p.PurgeTags(t.Context(), "tag"))
}

func TestAPurgeThatCannotBeIsAnError(t *testing.T) {
	p := build(t, pipeline.Config{Order: []string{"cache/outer", "cache/inner"}}, ok)
	require.ErrorContains(t, p.PurgePrefix(t.Context(), "/v1"), `"/v1" is no prefix of a URL`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api.example.com/", io.MultiReader(strings.NewReader("hello")))
	require.NoError(t, err)
	require.ErrorContains(t, p.Purge(req), "GetBody")
}
