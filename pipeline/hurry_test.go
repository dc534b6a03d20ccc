package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// A stage of a user's own that bounds the call with package context is obeyed by
// all within it: nobody waits any longer, nor for what can't come in time.
func TestAContextThatAStageMadeBoundsThoseWithin(t *testing.T) {
	own := registry(t, pipeline.Define("hurry", func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
		return pipeline.Stage[probe]{Wrap: hurry}, nil
	}))
	busy := status(503)
	for name, test := range map[string]struct {
		stage    string
		settings map[string]any
		base     func(*http.Request) (*http.Response, error)
		first    bool          // a call that nobody bounds comes before
		atMost   time.Duration // hurry's is 1s
		asked    int
	}{
		"retry does not begin to wait for what can't come": {
			"retry", map[string]any{"base_delay": "2s", "max_delay": "10s", "jitter": 0}, busy, false, 0, 1,
		},
		"retry ends its wait with the call": {
			"retry", map[string]any{"base_delay": "700ms", "max_delay": "10s", "jitter": 0}, busy, false, 700 * time.Millisecond, 2,
		},
		"semaphore": {"semaphore", map[string]any{"limit": "fixed", "max_concurrent": 1, "max_wait": "20s"}, silent, true, time.Second, 1},
		"rate_limit": {
			"rate_limit", map[string]any{"requests": 1, "per": "1m", "burst": 1, "max_wait": "10m"}, status(200), true, 0, 1,
		},
		"fallback": {"fallback", map[string]any{"answers": []any{map[string]any{"static": map[string]any{"status": 200}}}}, silent, false, time.Second, 1},
		"hedge":    {"hedge", map[string]any{"delay": "2s"}, silent, false, time.Second, 1},
		"timeout":  {"timeout", map[string]any{"limit": "2s"}, silent, false, time.Second, 1},
		"cache":    {"cache", map[string]any{}, silent, false, time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) { asked.Add(1); return test.base(req) })
				p, err := own.New("api", pipeline.Config{Order: []string{"hurry", test.stage}, Stages: map[string]any{test.stage: test.settings}}, pipeline.WithBase(base))
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				if test.first {
					go func() {
						resp, err := p.RoundTrip(request(t, middleware.Skip(ctx, "hurry"), http.MethodGet, "http://a.test/"))
						if err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
							_ = resp.Body.Close()
						}
					}()
					synctest.Wait()
				}
				begin := time.Now()
				resp, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://a.test/"))
				if err == nil {
					require.NoError(t, resp.Body.Close())
				}
				require.LessOrEqual(t, time.Since(begin), test.atMost)
				require.EqualValues(t, test.asked, asked.Load())
				cancel()
				synctest.Wait()
				require.NoError(t, p.Stop(t.Context()))
			})
		})
	}
}
