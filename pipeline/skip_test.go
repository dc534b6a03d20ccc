package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// probed tells which probes a call goes through.
func probed(t *testing.T, ctx context.Context, p *pipeline.Pipeline, j *journal) []string {
	t.Helper()
	j.take()
	resp, err := p.RoundTrip(request(t, ctx, http.MethodGet, "http://api.example.com/"))
	require.NoError(t, err)
	finish(t, resp)
	return j.take()
}

func TestSkip(t *testing.T) { // requirement 29
	j := new(journal)
	r := registry(t, probing("probe", j, nil), probing("other", j, nil))
	p, err := r.New("api", pipeline.Config{Order: []string{"probe", "probe/inner", "retry", "other"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	ctx := t.Context()
	require.Equal(t, []string{"call probe", "call probe/inner", "call other"}, probed(t, ctx, p, j))
	require.Equal(t, []string{"call probe", "call other"}, probed(t, middleware.Skip(ctx, "probe/inner"), p, j), "by id")
	require.Equal(t, []string{"call other"}, probed(t, middleware.Skip(ctx, "probe"), p, j), "by type")
	require.Equal(t, []string{"call probe", "call probe/inner"}, probed(t, middleware.Skip(ctx, "retry", "other"), p, j), "also below a retry")
	require.Empty(t, probed(t, middleware.Skip(middleware.Skip(ctx, "probe"), "other"), p, j), "skips add up")
	require.Equal(t, []string{"call probe", "call probe/inner", "call other"}, probed(t, middleware.Skip(ctx, "unknown"), p, j))
	require.Equal(t, []string{"call probe", "call probe/inner", "call other"}, probed(t, ctx, p, j), "for one request alone")
}

// Each case makes a stage show itself by the statuses of some calls.
var visible = map[string]struct {
	settings map[string]any
	base     func() http.RoundTripper
	with     []int // statuses, 0 for an error
	without  []int
}{
	"retry": {
		settings: map[string]any{"base_delay": "1ms", "max_delay": "1ms"},
		base:     func() http.RoundTripper { return sequence(500, 200, 500, 200) },
		with:     []int{200, 200}, without: []int{500, 200},
	},
	"circuit_breaker": {
		settings: map[string]any{"consecutive_failures": 1},
		base:     func() http.RoundTripper { return sequence(500, 200) },
		with:     []int{500, 0}, without: []int{500, 200},
	},
	"rate_limit": {
		settings: map[string]any{"requests": 1, "per": "1h", "burst": 1, "queue": 0},
		base:     func() http.RoundTripper { return ok },
		with:     []int{200, 0}, without: []int{200, 200},
	},
	"semaphore": {
		settings: map[string]any{"max_concurrent": 1, "queue": 0},
		base:     func() http.RoundTripper { return openBodies },
		with:     []int{200, 0}, without: []int{200, 200},
	},
	"cache": {
		base: func() http.RoundTripper { return sequence(200, 500) },
		with: []int{200, 200}, without: []int{200, 500},
	},
	"fallback": {
		settings: map[string]any{"answers": []any{map[string]any{"static": map[string]any{"status": 203, "body": "later"}}}},
		base:     func() http.RoundTripper { return answering(503) },
		with:     []int{203}, without: []int{503},
	},
	"hedge": {
		settings: map[string]any{"delay": "1ms"},
		base:     slowFirst,
		with:     []int{200}, without: []int{503},
	},
	"llm": {
		base: func() http.RoundTripper { return answeringJSON(`{"error":{"code":503}}`) },
		with: []int{503}, without: []int{200},
	},
	"timeout": {
		settings: map[string]any{"limit": "1ms"},
		base:     func() http.RoundTripper { return deadline },
		with:     []int{0}, without: []int{200},
	},
}

// answeringJSON answers with a 200 and a text that is labelled as JSON.
func answeringJSON(text string) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := answering(http.StatusOK).RoundTrip(req)
		resp.Header.Set("Content-Type", "application/json")
		resp.Body = io.NopCloser(strings.NewReader(text))
		return resp, err
	})
}

// sequence answers with one status after the other; the first is cacheable.
func sequence(statuses ...int) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		resp, err := answering(statuses[0]).RoundTrip(req)
		resp.Header.Set("Cache-Control", "max-age=60")
		statuses = statuses[1:]
		return resp, err
	})
}

// slowFirst takes its time for a 503 to the first request, and answers a second one at once.
func slowFirst() http.RoundTripper {
	var calls atomic.Int64
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if calls.Add(1) > 1 {
			return ok.RoundTrip(req)
		}
		select {
		case <-time.After(100 * time.Millisecond):
			return answering(503).RoundTrip(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	})
}

// deadline answers at once, or fails when the request's deadline, if it has one, has come.
var deadline = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	if _, ok := req.Context().Deadline(); ok {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return ok.RoundTrip(req)
})

func statuses(t *testing.T, ctx context.Context, p *pipeline.Pipeline, n int) []int {
	t.Helper()
	var all []int
	for range n {
		resp, err := p.RoundTrip(request(t, ctx, http.MethodGet, "http://api.example.com/"))
		if err != nil {
			all = append(all, 0)
			continue
		}
		all = append(all, resp.StatusCode)
		if p.Name() == "semaphore" {
			t.Cleanup(func() { _ = resp.Body.Close() }) // open, so that the permit is taken
			continue
		}
		finish(t, resp)
	}
	return all
}

func TestEachStageCanBeSwitchedOff(t *testing.T) { // requirement 29
	for typ, v := range visible {
		for _, id := range []string{typ, typ + "/named"} {
			on := pipeline.Config{Order: []string{id}, Stages: map[string]any{id: v.settings}}
			off := on
			off.Off = []string{typ}
			for _, test := range []struct {
				name string
				cfg  pipeline.Config
				skip []string
				want []int
			}{
				{"on", on, nil, v.with},
				{"off", off, nil, v.without},
				{"skipped by type", on, []string{typ}, v.without},
				{"skipped by id", on, []string{id}, v.without},
				{"another one skipped", on, []string{typ + "/other"}, v.with},
			} {
				t.Run(id+" "+test.name, func(t *testing.T) {
					p, err := pipeline.New(typ, test.cfg, pipeline.WithBase(v.base()))
					require.NoError(t, err)
					ctx := t.Context()
					if test.skip != nil {
						ctx = middleware.Skip(ctx, test.skip...)
					}
					require.Equal(t, test.want, statuses(t, ctx, p, len(test.want)), strconv.Quote(p.String()))
				})
			}
		}
	}
}

// TestEveryBuiltInTypeIsCovered finds a type that is new here.
func TestEveryBuiltInTypeIsCovered(t *testing.T) {
	_, err := pipeline.New("api", pipeline.Config{Order: []string{"?"}})
	_, list, found := strings.Cut(err.Error(), "valid stages: ")
	require.True(t, found)
	for _, typ := range strings.Split(list, ", ") {
		if typ == "dns_warmup" {
			continue // it does nothing with requests
		}
		require.Contains(t, visible, typ)
	}
}
