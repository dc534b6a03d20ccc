package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFormsOffer(t *testing.T) {
	for name, want := range map[string]int{"staged": 4400, "flat": 8000} {
		f, err := formsNamed(name)
		require.NoError(t, err)
		arrivals, _ := f[0].load.Arrivals()
		require.InDelta(t, want, len(arrivals), 10)
		require.IsIncreasing(t, arrivals)
	}
}

func TestUnknownForm(t *testing.T) {
	_, err := formsNamed("round")
	require.ErrorContains(t, err, "staged, flat or all")
}

func TestAnswersAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		script middlewaretest.Script
		want   loadtest.Answer
	}{
		"its own answer":        {middlewaretest.Handler(echo), loadtest.Fresh},
		"somebody else's":       {middlewaretest.Always(middlewaretest.Text(http.StatusOK, answerTo("other"))), loadtest.Failed},
		"a fallback":            {middlewaretest.Always(middlewaretest.Text(http.StatusOK, "busy").With("Headgate-Fallback", "static")), loadtest.Degraded},
		"busy":                  {middlewaretest.Always(middlewaretest.Text(http.StatusServiceUnavailable, answerTo("one"))), loadtest.Failed},
		"broken off in between": {middlewaretest.Always(middlewaretest.Answer{Body: []byte(answerTo("one")), Fault: middlewaretest.CutBody, After: 3}), loadtest.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			up := middlewaretest.New(t, c.script)
			client := &http.Client{Transport: up.Transport()}
			require.Equal(t, c.want, ask(t.Context(), client, up.URL, "one"))
		})
	}
}

// A run with next to no load: what is counted is asserted, times are not.
func TestEveryClientAnswersWithoutOverload(t *testing.T) {
	f := forms()[0]
	f.load.Step = 10 * time.Millisecond // 10 to 100 ms after the begin, 62 calls
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			r, err := runOne(t.Context(), f, c, func(float64) {})
			require.NoError(t, err)
			require.Equal(t, r.Calls, r.Fresh+r.Degraded+r.Failed)
			require.NotZero(t, r.Fresh)
			require.NotZero(t, r.Ceiling)
		})
	}
}

func TestOutputs(t *testing.T) {
	o := outcome{Form: "staged", Title: "The staged form", load: forms()[0].load, Results: []loadtest.Result{
		{Client: "Headgate", Calls: 200, Ceiling: 100, Fresh: 99, Degraded: 101, Steps: []float64{1, 0.5}},
		{Client: "peer", Calls: 200, Ceiling: 100, Fresh: 50, Failed: 150},
	}}
	require.Contains(t, o.table(), "99.0 %")
	require.Contains(t, o.table(), "The ceiling is 50.0 % of them.")

	folder := t.TempDir()
	require.ErrorContains(t, save(folder, []outcome{o}, "go run ./overload"), "results.md", "it owns a block of the page, not the page")
	file := filepath.Join(folder, page)
	require.NoError(t, os.WriteFile(file, []byte("# Results\n<!-- overload-staged: x -->\n<!-- /overload-staged -->\n"), 0o600))
	require.NoError(t, save(folder, []outcome{o}, "go run ./overload"))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(data), o.table())
	require.FileExists(t, filepath.Join(folder, "overload-staged.svg"))

	var out bytes.Buffer
	require.NoError(t, show(&out, []outcome{o}, false))
	require.Contains(t, out.String(), o.table())
	out.Reset()
	require.NoError(t, show(&out, []outcome{o}, true))
	data, err = json.Marshal([]outcome{o})
	require.NoError(t, err)
	require.JSONEq(t, string(data), out.String())
	require.Contains(t, string(data), `"ceiling":100,"fresh":99`)
}

func TestBadFlags(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown flag":   {"-nonsense"},
		"unknown form":   {"-form", "round"},
		"unknown client": {"-client", "nobody's"},
		"no page":        {"-out", t.TempDir()},
	} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), name)
	}
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}

func TestInterruptEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, nil, io.Discard, io.Discard), context.Canceled)
}
