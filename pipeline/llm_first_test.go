package pipeline_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline"
)

// The preset llm with all its stages delays the first content by less than a
// millisecond. Calls with and without it take turns, and the median of what
// each costs more than its neighbour counts: a machine that is busy is so for both.
func TestTheFirstContentIsNotDelayed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	p, err := pipeline.New("local", pipeline.Config{Extends: "llm", Stages: map[string]any{
		"rate_limit": map[string]any{"requests": 100000, "burst": 1000},
	}}, pipeline.WithBase(bare))
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Stop(t.Context())) }()
	first := func(rt http.RoundTripper) time.Duration {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(`{"model":"m","stream":true}`))
		require.NoError(t, err)
		begin := time.Now()
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, make([]byte, len("data: ")))
		took := time.Since(begin)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return took
	}
	first(bare)
	first(p)
	more := make([]time.Duration, 201)
	for i := range more {
		without := first(bare)
		more[i] = first(p) - without
	}
	slices.Sort(more)
	t.Logf("median %v, a tenth of the calls more than %v", more[len(more)/2], more[len(more)*9/10])
	require.Less(t, more[len(more)/2], time.Millisecond)
}
