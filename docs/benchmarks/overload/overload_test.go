package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStagedLoadGrows(t *testing.T) {
	staged, err := formsNamed("staged")
	require.NoError(t, err)
	l := staged[0].load
	arrivals, step := l.arrivals()
	var perStep [steps]int
	for i := range arrivals {
		perStep[step[i]]++
		require.Equal(t, step[i], int(arrivals[i]/l.step))
	}
	for s, n := range perStep {
		require.InDelta(t, 80*(s+1), n, 1, "step %d", s)
	}
}

func TestFlatLoadStaysTheSame(t *testing.T) {
	flat, err := formsNamed("flat")
	require.NoError(t, err)
	arrivals, _ := flat[0].load.arrivals()
	require.Len(t, arrivals, 8000)
	require.IsIncreasing(t, arrivals)
}

func TestUnknownForm(t *testing.T) {
	_, err := formsNamed("round")
	require.ErrorContains(t, err, "staged, flat or all")
}

func TestSummarize(t *testing.T) {
	l := load{step: 100 * time.Millisecond, deadline: time.Second}
	const ms = time.Millisecond
	r := summarize("some", l, []*call{
		{step: 0, arrived: 0, took: 50 * ms, answer: fresh},
		{step: 0, arrived: 10 * ms, took: time.Second, answer: failed},
		{step: 9, arrived: 950 * ms, took: 40 * ms, answer: fresh},
		{step: 9, arrived: 960 * ms, took: 60 * ms, answer: fresh}, // after the load
		{step: 9, arrived: 970 * ms, took: ms, answer: degraded},
	}, 10)
	require.Equal(t, result{
		Client: "some", Calls: 5, Fresh: 3, Degraded: 1, Failed: 1, Goodput: 2, P50: 50, P95: 60, P99: 60, Upstream: 2,
		Steps: [steps]float64{0: 0.5, 9: 2.0 / 3},
	}, r)
}

func TestAnswersAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		script middlewaretest.Script
		want   answer
	}{
		"its own answer":        {middlewaretest.Handler(echo), fresh},
		"somebody else's":       {middlewaretest.Always(middlewaretest.Text(http.StatusOK, answerTo("other"))), failed},
		"a fallback":            {middlewaretest.Always(middlewaretest.Text(http.StatusOK, "busy").With("Headgate-Fallback", "static")), degraded},
		"busy":                  {middlewaretest.Always(middlewaretest.Text(http.StatusServiceUnavailable, answerTo("one"))), failed},
		"broken off in between": {middlewaretest.Always(middlewaretest.Answer{Body: []byte(answerTo("one")), Fault: middlewaretest.CutBody, After: 3}), failed},
	} {
		t.Run(name, func(t *testing.T) {
			up := middlewaretest.New(t, c.script)
			client := &http.Client{Transport: up.Transport()}
			require.Equal(t, c.want, ask(t.Context(), client, up.URL, "one"))
		})
	}
}

// A caller of the pool leaves at its deadline, whatever the workers do.
func TestPoolLetsCallersLeave(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Answer{Fault: middlewaretest.HangHeaders}))
	p := newPool(&http.Client{Transport: up.Transport()}, up.URL, 1, 100*time.Millisecond)
	defer p.close()
	for range 2 { // one with the worker, one in the queue
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		require.Equal(t, failed, p.do(ctx, &call{prompt: "one"}))
		cancel()
	}
}

// A run with next to no load: what is counted is asserted, times are not.
func TestEveryClientAnswersWithoutOverload(t *testing.T) {
	f := forms()[0]
	f.load.step = 10 * time.Millisecond // 10 to 100 ms after the begin, 62 calls
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
	o := outcome{Form: "staged", Title: "The staged form", load: forms()[0].load, Results: []result{
		{Client: "Headgate", Calls: 200, Ceiling: 100, Fresh: 99, Degraded: 101, Steps: [steps]float64{1, 0.5}},
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

func TestMeterSaysWhenAClientIsDone(t *testing.T) {
	var out bytes.Buffer
	progress := meter(&out, "some client")
	for i := range 100 {
		progress(float64(i+1) / 100)
	}
	require.Equal(t, 1, strings.Count(out.String(), "some client"), "in a log, one line")
}
