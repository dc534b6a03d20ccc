package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoadGrowsInSteps(t *testing.T) {
	l := growing(800 * time.Millisecond)
	_, step := l.Arrivals()
	perStep := make([]int, len(l.Rates))
	for _, s := range step {
		perStep[s]++
	}
	for s, n := range perStep {
		require.InDelta(t, 80*(s+1), n, 1, "step %d", s)
	}
}

func TestPromptsFollowZipf(t *testing.T) {
	draw, seen := zipf(4400), map[string]int{}
	for i := range 4400 {
		seen[draw(i)]++
	}
	require.LessOrEqual(t, len(seen), 200)
	most := 0
	for _, n := range seen {
		most = max(most, n)
	}
	require.Greater(t, most, 4400/10, "the most popular one makes up a good part")
}

// The whole experiment, shorter: what is counted is asserted, times are not.
func TestShortRun(t *testing.T) {
	results := shortRun(t)
	for tries := 1; late(results) > tooLate && tries < 3; tries++ {
		results = shortRun(t)
	}
	if ms := late(results); ms > tooLate {
		t.Skipf("the machine is too busy to compare the clients: requests were sent up to %.0f ms late", ms)
	}
	plain, headgate, repeated := results[0], results[2], results[3]
	require.Greater(t, headgate.Fresh, plain.Fresh)
	require.Zero(t, headgate.Failed, "everybody gets an answer")
	require.LessOrEqual(t, headgate.Upstream, 1.0)
	require.Equal(t, repeated.Calls, repeated.Fresh, "popular prompts are all answered")
	require.Less(t, repeated.Upstream, 0.4, "200 prompts, 550 calls: at most one request for each prompt")
}

func shortRun(t *testing.T) []loadtest.Result {
	t.Helper()
	file := filepath.Join(t.TempDir(), "figures.json")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-step", "100ms", "-json", file}, &out, io.Discard))
	t.Log("\n" + out.String())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var results []loadtest.Result
	require.NoError(t, json.Unmarshal(data, &results))
	require.Len(t, results, 4)
	for _, r := range results {
		require.Equal(t, r.Calls, r.Fresh+r.Degraded+r.Failed)
		require.Contains(t, out.String(), r.Client)
		require.Equal(t, r.Late > tooLate, strings.Contains(out.String(), r.Client+": this machine was too busy"))
	}
	return results
}

func late(results []loadtest.Result) (ms float64) {
	for _, r := range results {
		ms = max(ms, r.Late)
	}
	return ms
}

func TestRealMode(t *testing.T) {
	cfg := middlewaretest.DefaultConfig()
	cfg.Script = middlewaretest.Handler(completion)
	up, err := middlewaretest.Start(cfg)
	require.NoError(t, err)
	defer up.Close()
	for _, name := range keyVariables {
		t.Setenv(name, "")
	}
	args := []string{"-url", up.URL + "/v1/", "-prompts", "2"}
	require.ErrorContains(t, run(t.Context(), args, io.Discard, io.Discard), "HEADGATE_API_KEY")

	t.Setenv("DEEPSEEK_API_KEY", "sk-test")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), args, &out, io.Discard))
	require.Equal(t, 2, strings.Count(out.String(), "fresh"), out.String())
	require.Equal(t, "Bearer sk-test", up.Requests()[0].Header.Get("Authorization"))
	require.NotContains(t, out.String(), "sk-test")
}

func TestBadFlags(t *testing.T) {
	require.Error(t, run(t.Context(), []string{"-step", "0s"}, io.Discard, io.Discard))
	require.Error(t, run(t.Context(), []string{"-nonsense"}, io.Discard, io.Discard))
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}

func TestInterruptEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, nil, io.Discard, io.Discard), context.Canceled)
}

// What went wrong with a real API is told whole: the beginning of an error is
// where it was, and its end is why.
func TestAFailureOfARealAPIIsToldWhole(t *testing.T) {
	reason := "the key that was sent is not one of this account, " + strings.Repeat("see the documents ", 5) + "to the end"
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, reason, http.StatusUnauthorized) }))
	defer api.Close()
	t.Setenv("HEADGATE_API_KEY", "secret")
	var out strings.Builder
	require.NoError(t, runReal(t.Context(), api.URL, "m", 1, &out))
	require.Contains(t, out.String(), "401 Unauthorized: "+reason)
	require.NotContains(t, out.String(), "secret")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out.Reset()
	require.ErrorIs(t, runReal(ctx, api.URL, "m", 1, &out), context.Canceled)
	require.Contains(t, out.String(), "failed     context canceled\n")
}
