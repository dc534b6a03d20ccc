package pipeline_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/pipeline"
)

// Of a request that got no connection nothing was sent: its token comes back, and
// a POST is repeated. Here there is a single token for three attempts.
func TestWithoutAConnectionTheTokenComesBackAndAPostIsRepeated(t *testing.T) {
	attempts := 0
	up := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn("a.test:80")
		if attempts++; attempts < 3 {
			return silent(req)
		}
		trace.GotConn(httptrace.GotConnInfo{})
		return status(200)(req)
	})
	cfg := pipeline.Config{Order: []string{"retry", "circuit_breaker", "rate_limit", "semaphore", "timeout/connect"}, Stages: map[string]any{
		"rate_limit":      map[string]any{"requests": 1, "per": "1h", "burst": 1},
		"timeout/connect": map[string]any{"limit": "1s", "until": "connect"},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		req := request(t, t.Context(), http.MethodPost, "http://a.test/")
		req.Body = io.NopCloser(strings.NewReader("content"))
		require.Equal(t, 200, ask(t, p, req).StatusCode)
		require.Equal(t, 3, attempts)
		require.Equal(t, uint64(1), report[[]ratelimit.KeyStats](t, p, "rate_limit")[0].Admitted)
	})
}

func TestAProbeThatIsRefusedFurtherInGivesItsPlaceBack(t *testing.T) {
	up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){"a.test": status(503), "b.test": silent}}
	cfg := pipeline.Config{Order: []string{"circuit_breaker", "semaphore"}, Stages: map[string]any{
		"circuit_breaker": map[string]any{"consecutive_failures": 1, "open_for": "1s"},
		"semaphore":       map[string]any{"max_concurrent": 1, "queue": 0, "key": "shared"},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		require.Equal(t, 503, ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/")).StatusCode)
		ctx, cancel := context.WithCancel(t.Context())
		other := request(t, ctx, http.MethodGet, "http://b.test/")
		go func() { _, _ = p.RoundTrip(other) }()
		time.Sleep(time.Second)
		_, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://a.test/"))
		require.ErrorIs(t, err, semaphore.ErrQueueFull)
		cancel()
		synctest.Wait()
		up.answers["a.test"] = status(200)
		require.Equal(t, 200, ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/")).StatusCode, "the place of the probe is free")
	})
}

// Every stage that waits or refuses goes by the hint of an attempt, though retry
// and hedge give each attempt an exchange of its own.
func TestAHintReachesEveryStage(t *testing.T) {
	up := &upstreams{answers: map[string]func(*http.Request) (*http.Response, error){"a.test": status(503, "Retry-After", "20")}}
	cfg := pipeline.Config{Order: []string{"retry", "hedge", "circuit_breaker", "rate_limit", "semaphore"}, Stages: map[string]any{
		"retry": map[string]any{"max_attempts": 1}, "circuit_breaker": map[string]any{"consecutive_failures": 1}, "rate_limit": map[string]any{"pause_on_busy": true},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		require.Equal(t, 503, ask(t, p, request(t, t.Context(), http.MethodGet, "http://a.test/")).StatusCode)
		_, err := p.RoundTrip(request(t, t.Context(), http.MethodGet, "http://a.test/"))
		var rejected *middleware.RejectedError
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, 20*time.Second, rejected.RetryAfter)
		require.Equal(t, 20*time.Second, report[[]circuitbreaker.KeyStats](t, p, "circuit_breaker")[0].RetryAfter)
		require.Equal(t, 20*time.Second, report[[]ratelimit.KeyStats](t, p, "rate_limit")[0].Paused)
		require.Equal(t, 20*time.Second, report[hedge.Stats](t, p, "hedge").Keys[0].Paused)
	})
}

// A caller who gives up in a queue has cost nothing: no token, no permit, no
// failure, and no answer of the fallback.
func TestACancelInAQueueCostsNothing(t *testing.T) {
	up := middleware.RoundTripperFunc(silent)
	cfg := pipeline.Config{Order: []string{"fallback", "cache", "retry", "circuit_breaker", "rate_limit", "semaphore"}, Stages: map[string]any{
		"fallback":        map[string]any{"answers": []any{map[string]any{"static": map[string]any{"status": 200}}}},
		"circuit_breaker": map[string]any{"consecutive_failures": 1},
		"rate_limit":      map[string]any{"requests": 10, "per": "1000h", "burst": 10},
		"semaphore":       map[string]any{"max_concurrent": 1},
	}}
	compose(t, cfg, up, func(t *testing.T, p *pipeline.Pipeline) {
		var calls sync.WaitGroup
		var cancels []context.CancelFunc
		for _, path := range []string{"1", "2", "3"} {
			ctx, cancel := context.WithCancel(t.Context())
			cancels = append(cancels, cancel)
			req := request(t, ctx, http.MethodGet, "http://a.test/"+path)
			calls.Go(func() {
				_, err := p.RoundTrip(req)
				require.ErrorIs(t, err, context.Canceled)
			})
			synctest.Wait()
		}
		require.EqualValues(t, 2, report[[]semaphore.KeyStats](t, p, "semaphore")[0].Waiting)
		for _, cancel := range slices.Backward(cancels) { // those who wait first
			cancel()
			synctest.Wait()
		}
		calls.Wait()
		permits := report[[]semaphore.KeyStats](t, p, "semaphore")[0]
		require.Zero(t, permits.InUse)
		require.Zero(t, permits.Waiting)
		require.InDelta(t, 9, report[[]ratelimit.KeyStats](t, p, "rate_limit")[0].Tokens, 0.01, "one went upstream")
		require.Zero(t, report[[]circuitbreaker.KeyStats](t, p, "circuit_breaker")[0].Calls)
	})
}
