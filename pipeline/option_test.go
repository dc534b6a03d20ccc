package pipeline_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// retrying makes its first call fail, so that there is something to tell.
func retrying(base http.RoundTripper, t *testing.T, opts ...pipeline.Option) *pipeline.Pipeline {
	return build(t, pipeline.Config{
		Order:  []string{"retry"},
		Stages: map[string]any{"retry": map[string]any{"base_delay": "1ms", "max_delay": "1ms"}},
	}, base, opts...)
}

func TestSeveralObservers(t *testing.T) {
	var one, two journal
	write := func(j *journal) pipeline.Option {
		return pipeline.WithObserver(middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { j.add(e.Stage + " " + e.Kind) }))
	}
	p := retrying(sequence(500, 200), t, write(&one), pipeline.WithObserver(nil), write(&two))
	require.Equal(t, 200, get(t, p))
	require.Equal(t, []string{"retry retrying", "retry recovered"}, one.take())
	require.Equal(t, []string{"retry retrying", "retry recovered"}, two.take())
}

func TestEventsAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	p := retrying(sequence(503, 200), t, pipeline.WithLogger(zap.New(core)), pipeline.WithLogger(nil))
	require.Equal(t, 200, get(t, p))

	entries := logs.TakeAll()
	require.Len(t, entries, 2)
	require.Equal(t, "retrying", entries[0].Message)
	fields := entries[0].ContextMap()
	require.Equal(t, "api", fields["pipeline"])
	require.Equal(t, "retry", fields["stage"])
	require.Equal(t, int64(1), fields["attempt"])
	require.Equal(t, "busy", fields["verdict"])
	require.Equal(t, int64(503), fields["status"])
	require.Positive(t, fields["wait"])
	require.Equal(t, "recovered", entries[1].Message)
}

func TestLevelsAndFieldsOfALogLine(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	var env pipeline.Env
	r := registry(t, pipeline.Define("mine", func() probe { return probe{} }, func(_ probe, e pipeline.Env) (pipeline.Stage[probe], error) {
		env = e
		return pipeline.Stage[probe]{Wrap: func(next http.RoundTripper) http.RoundTripper { return next }}, nil
	}))
	_, err := r.New("api", pipeline.Config{Order: []string{"mine"}}, pipeline.WithBase(ok), pipeline.WithLogger(zap.New(core)))
	require.NoError(t, err)

	for level, want := range map[slog.Level]zapcore.Level{
		slog.LevelDebug: zapcore.DebugLevel, slog.LevelInfo: zapcore.InfoLevel, slog.LevelWarn: zapcore.WarnLevel,
		slog.LevelError: zapcore.ErrorLevel, slog.LevelError + 4: zapcore.ErrorLevel, slog.LevelInfo + 1: zapcore.InfoLevel,
	} {
		env.Reporter().Report(t.Context(), middleware.Event{Kind: "happened", Level: level})
		entry := logs.TakeAll()[0]
		require.Equal(t, want, entry.Level, level.String())
		require.Equal(t, map[string]any{"pipeline": "api", "stage": "mine"}, entry.ContextMap(), "what is not set is not written")
	}
	env.Reporter().Report(t.Context(), middleware.Event{
		Kind: "happened", Key: "a:80", Attempt: 2, Wait: time.Second, Err: errors.New("why"),
		Outcome: middleware.Outcome{Verdict: middleware.Failure, Status: 500},
		Attrs:   []slog.Attr{slog.Int("tokens", 7), slog.Any("lazy", lazy{})},
	})
	require.Equal(t, map[string]any{
		"pipeline": "api", "stage": "mine", "key": "a:80", "attempt": int64(2), "verdict": "failure", "status": int64(500),
		"wait": time.Second, "error": "why", "tokens": int64(7), "lazy": "resolved",
	}, logs.TakeAll()[0].ContextMap())
	env.Logger.Info("direct")
	require.Equal(t, map[string]any{"pipeline": "api", "stage": "mine"}, logs.TakeAll()[0].ContextMap())
}

type lazy struct{}

func (lazy) LogValue() slog.Value { return slog.StringValue("resolved") }

// What has called the logger is always this package, whoever began the call.
func TestNoLineHasACallerOrAStackTrace(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	logger := zap.New(core, zap.AddCaller(), zap.AddStacktrace(zapcore.DebugLevel))
	p := build(t, pipeline.Config{Order: []string{"semaphore", "retry"}}, sequence(503, 200), pipeline.WithLogger(logger))
	require.Equal(t, 200, get(t, p))
	require.Greater(t, logs.Len(), 1)
	for _, e := range logs.TakeAll() {
		require.False(t, e.Caller.Defined, e.Message)
		require.Empty(t, e.Stack, e.Message)
	}
}

func TestALoggerThatIsOffCostsNoEvents(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	p := retrying(sequence(500, 200), t, pipeline.WithLogger(zap.New(core)))
	require.Equal(t, 200, get(t, p))
	require.Empty(t, logs.FilterMessage("recovered").All(), "it is below the logger's level")
}

func TestWarningsAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	p := build(t, pipeline.Config{Order: []string{"semaphore", "retry"}}, ok, pipeline.WithLogger(zap.New(core)))
	entries := logs.TakeAll()
	require.Len(t, entries, 1)
	require.Equal(t, zapcore.WarnLevel, entries[0].Level)
	require.Contains(t, entries[0].ContextMap()["warning"], "order: semaphore stands outside retry")

	require.NoError(t, p.Reload(t.Context(), pipeline.Config{Order: []string{"retry"}}))
	require.Zero(t, logs.Len())
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{Order: []string{"semaphore", "retry"}}))
	require.Equal(t, 1, logs.Len())
}

// TestNoSecretLeaves sends calls with secrets everywhere through all stages and
// all that can go wrong, and looks for them in log lines, errors and reports.
func TestNoSecretLeaves(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	cfg := load(t, `
pipelines:
  api:
    order: [cache, timeout/total, retry, circuit_breaker, rate_limit, semaphore, timeout/attempt]
    stages:
      timeout/total: {limit: 10s}
      timeout/attempt: {limit: 20ms}
      retry: {base_delay: 1ms, max_delay: 1ms}
      circuit_breaker: {consecutive_failures: 3}
      rate_limit: {requests: 1, per: 1h, burst: 12, queue: 0}
      semaphore: {max_concurrent: 1, queue: 0}
`).Pipelines["api"]
	var texts []string
	for _, base := range []struct {
		http.RoundTripper
		open bool
	}{{answering(503), false}, {answering(200), false}, {answering(429), false}, {deadline, false}, {openBodies, true}} {
		p := build(t, cfg, middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(req)
			if resp != nil {
				resp.Header.Set("Set-Cookie", "session=s3cret")
				resp.Header.Set("Cache-Control", "max-age=60")
			}
			return resp, err
		}), pipeline.WithLogger(zap.New(core)))
		for _, method := range []string{http.MethodGet, http.MethodGet, http.MethodGet, http.MethodPost, http.MethodDelete} {
			req := request(t, t.Context(), method, "http://user:s3cret@api.example.com/s3cret?key=s3cret")
			req.Header.Set("Authorization", "Bearer s3cret")
			req.Header.Set("Cookie", "session=s3cret")
			req.Header.Set("Idempotency-Key", "s3cret")
			resp, err := p.RoundTrip(req)
			if err != nil {
				texts = append(texts, err.Error())
				continue
			}
			if base.open {
				defer func() { _ = resp.Body.Close() }()
				continue
			}
			finish(t, resp)
		}
		texts = append(texts, p.String(), jsonOf(t, p.Report()))
	}
	for _, e := range logs.All() {
		line, err := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "m"}).EncodeEntry(e.Entry, e.Context)
		require.NoError(t, err)
		texts = append(texts, line.String())
	}
	for _, kind := range []string{"retrying", "opened", "rejected", "timed_out", "stored", "hit"} {
		require.NotZero(t, logs.FilterMessage(kind).Len(), kind)
	}
	for _, text := range texts {
		require.NotContains(t, strings.ToLower(text), "s3cret")
	}
}

// bytesOnly is a store that a cache can't use.
type bytesOnly struct{ store.StoreInterface }

func (bytesOnly) GetType() string { return "bytes" }

func TestStores(t *testing.T) {
	cfg := func(name string) pipeline.Config {
		return pipeline.Config{Order: []string{"cache"}, Stages: map[string]any{"cache": map[string]any{"store": name}}}
	}
	shared, err := memory.New(memory.DefaultConfig())
	require.NoError(t, err)
	opts := []pipeline.Option{pipeline.WithBase(ok), pipeline.WithStore("redis", shared), pipeline.WithStore("gone", nil), pipeline.WithStore("bytes", bytesOnly{})}
	_, err = pipeline.New("api", cfg("redis"), opts...)
	require.NoError(t, err)
	_, err = pipeline.New("api", cfg("memory"), opts...)
	require.NoError(t, err)

	_, err = pipeline.New("api", cfg("reddis"), opts...)
	require.ErrorContains(t, err, `pipeline api: cache: store: "reddis": unknown store; did you mean "redis"?`)
	var problem *middleware.ConfigError
	require.ErrorAs(t, err, &problem)
	_, err = pipeline.New("api", cfg("gone"), opts...)
	require.ErrorContains(t, err, "pipeline.WithStore")
	_, err = pipeline.New("api", cfg("bytes"), opts...)
	require.NoError(t, err, "a store that keeps bytes will do")
}

func TestAnswers(t *testing.T) {
	cfg := pipeline.Config{Order: []string{"fallback"}, Stages: map[string]any{
		"fallback": map[string]any{"answers": []any{map[string]any{"func": "later"}}},
	}}
	p := build(t, cfg, answering(503), pipeline.WithAnswer("later", fallback.Static{Status: 203}))
	require.Equal(t, 203, get(t, p))

	_, err := pipeline.New("api", cfg, pipeline.WithBase(ok))
	require.ErrorContains(t, err, "pipeline api: fallback: answers[0]")
}
