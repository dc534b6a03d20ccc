package headgate_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open loads a pipeline "api" from YAML, as an application does, and starts it.
func open(t testing.TB, yaml string, opts ...pipeline.Option) *pipeline.Pipeline {
	t.Helper()
	file, err := pipeline.Load(fstest.MapFS{"http.yaml": {Data: []byte(yaml)}}, "http.yaml")
	require.NoError(t, err)
	p, err := pipeline.New("api", file.Pipelines["api"], opts...)
	require.NoError(t, err)
	require.NoError(t, p.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, p.Stop(ctx))
	})
	return p
}

func read(t testing.TB, resp *http.Response, err error) string {
	t.Helper()
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

const standard = `
pipelines:
  api:
    extends: standard
    stages:
      retry: {base_delay: 1ms}
      fallback:
        answers: [{static: {status: 200, body: "come back later"}}]
`

func TestBusyUpstreamIsTriedAgain(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Sequence(middlewaretest.Text(503, "server busy"), middlewaretest.Text(200, "hello")))
	client := open(t, standard).Client()
	resp, err := client.Post(up.URL, "application/json", strings.NewReader(`{"prompt": "hi"}`))
	require.Equal(t, "hello", read(t, resp, err))
	require.Empty(t, resp.Header.Get("Headgate-Fallback"))
	require.Equal(t, 2, up.Stats().Requests)
}

func TestUpstreamThatIsDownIsAnsweredByTheFallback(t *testing.T) {
	up := middlewaretest.New(t, nil)
	url := up.URL
	up.Close()
	resp, err := open(t, standard).Client().Get(url)
	require.Equal(t, "come back later", read(t, resp, err))
	require.NotEmpty(t, resp.Header.Get("Headgate-Fallback"))
}

func TestWrongRequestIsNeitherRepeatedNorMasked(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(422, "no such model")))
	resp, err := open(t, standard).Client().Get(up.URL)
	require.Equal(t, "no such model", read(t, resp, err))
	require.Equal(t, 422, resp.StatusCode)
	require.Equal(t, 1, up.Stats().Requests)
}

func TestBreakerSparesAnUpstreamThatFails(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(500, "out of order")))
	p := open(t, `
pipelines:
  api:
    order: [circuit_breaker]
    stages:
      circuit_breaker: {consecutive_failures: 3, open_for: 1h, max_open_for: 1h}
`)
	for range 3 {
		resp, err := p.Client().Get(up.URL)
		require.Equal(t, "out of order", read(t, resp, err))
	}
	_, err := p.Client().Get(up.URL)
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
	require.ErrorIs(t, err, middleware.ErrRejected)
	var rejected *middleware.RejectedError
	require.ErrorAs(t, err, &rejected)
	require.Greater(t, rejected.RetryAfter, 59*time.Minute)
	require.Equal(t, 3, up.Stats().Requests)

	ctx := middleware.Skip(t.Context(), "circuit_breaker")
	req, err := http.NewRequestWithContext(ctx, "GET", up.URL, nil)
	require.NoError(t, err)
	resp, err := p.Client().Do(req)
	require.Equal(t, "out of order", read(t, resp, err), "requirement 29: switched off for one request")
}

func TestFreshAnswersComeFromTheCache(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(200, "cacheable").With("Cache-Control", "max-age=60")))
	client := open(t, standard).Client()
	for i := range 3 {
		resp, err := client.Get(up.URL)
		require.Equal(t, "cacheable", read(t, resp, err))
		require.Equal(t, i > 0, strings.Contains(resp.Header.Get("Cache-Status"), "hit"), resp.Header.Get("Cache-Status"))
	}
	require.Equal(t, 1, up.Stats().Requests)
}

// A stream passes through all stages chunk by chunk: the upstream sends the
// next one only when the client has seen the last.
func TestStreamIsNotHeldUp(t *testing.T) {
	seen := make(chan struct{}, 1)
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Answer{
		Stream: middlewaretest.Chunks(
			middlewaretest.Chunk{Data: "data: 1\n\n"},
			middlewaretest.Chunk{Wait: seen, Data: "data: 2\n\n"},
			middlewaretest.Chunk{Wait: seen, Data: "data: [DONE]\n\n"},
		),
	}.With("Content-Type", "text/event-stream")))
	resp, err := open(t, standard).Client().Get(up.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	var events []string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if event, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			events = append(events, event)
			if len(events) < 3 {
				seen <- struct{}{}
			}
		}
	}
	require.Equal(t, []string{"1", "2", "[DONE]"}, events)
}

// The overload in small: 10 times as many callers as there is room for. Nobody
// is left without an answer, and the upstream is never overrun.
func TestOverloadIsAbsorbed(t *testing.T) {
	cfg := middlewaretest.DefaultConfig()
	cfg.Capacity, cfg.ServiceTime, cfg.Queue = 4, 10*time.Millisecond, 4
	up, err := middlewaretest.Start(cfg)
	require.NoError(t, err)
	defer up.Close()
	client := open(t, `
pipelines:
  api:
    extends: standard
    stages:
      semaphore: {max_concurrent: 6, queue: 1000}
      fallback:
        margin: 100ms
        answers: [{static: {status: 200, body: "come back later"}}]
`).Client()
	var fresh, degraded, failed atomic.Int64
	var callers sync.WaitGroup
	for range 400 {
		callers.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", up.URL, nil)
			resp, err := client.Do(req)
			if err != nil {
				failed.Add(1)
				return
			}
			defer resp.Body.Close()
			if resp.Header.Get("Headgate-Fallback") != "" {
				degraded.Add(1)
			} else {
				fresh.Add(1)
			}
		})
	}
	callers.Wait()
	t.Logf("%d fresh, %d degraded, %d failed, %d upstream requests", fresh.Load(), degraded.Load(), failed.Load(), up.Stats().Requests)
	require.Zero(t, failed.Load())
	require.Positive(t, fresh.Load())
	require.Positive(t, degraded.Load())
	require.Zero(t, up.Stats().Busy, "the upstream turned nobody away")
	require.LessOrEqual(t, up.Stats().MaxServing+up.Stats().MaxQueued, 8)
}

func TestEnvironmentsDiffer(t *testing.T) {
	t.Setenv("ATTEMPTS", "2")
	fsys := fstest.MapFS{
		"http.yaml": {Data: []byte(`
pipelines:
  api:
    order: [cache, retry, timeout]
    stages:
      retry: {max_attempts: "${env:ATTEMPTS}", base_delay: 1ms}
`)},
		"http.production.yaml": {Data: []byte(`
pipelines:
  api:
    insert: {semaphore: {after: retry}}
    off: [cache]
    stages:
      semaphore: {max_concurrent: 8}
`)},
	}
	file, err := pipeline.Load(fsys, "http.yaml", "http.production.yaml")
	require.NoError(t, err)
	require.Equal(t, []string{"retry", "semaphore", "timeout"}, file.Pipelines["api"].Order)

	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(503, "server busy")))
	p, err := pipeline.New("api", file.Pipelines["api"])
	require.NoError(t, err)
	defer func() { require.NoError(t, p.Stop(context.Background())) }()
	resp, err := p.Client().Get(up.URL)
	require.Equal(t, "server busy", read(t, resp, err))
	require.Equal(t, 2, up.Stats().Requests)
}

func TestBadConfigurationIsToldAtOnceAndNothingIsBuilt(t *testing.T) {
	_, err := pipeline.Load(fstest.MapFS{"http.yaml": {Data: []byte(`
pipelines:
  api:
    order: [retry, retry, semaphor, timeout/total, timeout/attempt]
    stages:
      retry: {max_atempts: 3, base_delay: -1s}
      timeout/total: {limit: 1s}
      timeout/attempt: {limit: 2s, until: "${env:HEADGATE_TEST_UNSET}"}
`)}}, "http.yaml")
	for _, part := range []string{
		`http.yaml:4:20: pipelines.api.order[1]: "retry" stands twice`,
		`http.yaml:4:27: pipelines.api.order[2]: "semaphor"`, `did you mean "semaphore"?`,
		`max_atempts: unknown key; did you mean "max_attempts"?`,
		`base_delay: -1s`,
		`can never be reached within the 1s of timeout/total`,
		`HEADGATE_TEST_UNSET is not set`,
	} {
		require.ErrorContains(t, err, part)
	}
	var first *pipeline.ConfigError
	require.True(t, errors.As(err, &first))
	require.Equal(t, 4, first.Line)
}

// The whole of the standard preset keeps the contract of a single stage.
func TestConformanceOfTheWholePipeline(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		return func(next http.RoundTripper) http.RoundTripper {
			p, err := pipeline.New("api", pipeline.Config{
				Extends: "standard",
				Stages: map[string]any{
					"retry":           map[string]any{"base_delay": "1ms"},
					"circuit_breaker": map[string]any{"consecutive_failures": 0, "min_calls": 1000}, // the suite fails more calls than a breaker bears
				},
			}, pipeline.WithBase(next))
			if err != nil {
				tb.Fatal(err)
			}
			return p
		}
	})
}

// Memory stays flat over ten million requests (a hundred thousand without HEADGATE_SOAK=1).
func TestMemoryStaysFlat(t *testing.T) {
	n := 100_000
	if os.Getenv("HEADGATE_SOAK") == "1" {
		n = 10_000_000
	}
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, cancel := context.WithCancel(req.Context())
		defer cancel()
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
	})
	p := open(t, `
pipelines:
  api:
    extends: standard
    stages:
      rate_limit: {requests: 1000000000, burst: 1000000}
`, pipeline.WithBase(base))
	send := func(count int) {
		for i := range count {
			host := i % 100
			if i%100 == 0 {
				host = i % 5000 // more hosts than keys are kept for, now and then
			}
			req, err := http.NewRequest("GET", fmt.Sprintf("http://host%d.example/%d", host, i), nil)
			require.NoError(t, err)
			resp, err := p.RoundTrip(req)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	send(n / 10) // the keys fill up to their bound
	before := heap()
	send(n)
	after := heap()
	t.Logf("%d requests: heap %d KiB before, %d KiB after", n, before>>10, after>>10)
	require.Less(t, after, before+(4<<20))
}
