package pipeline_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/middleware/timeout"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

func TestDecodeTakesWhatALoaderOfMapsGives(t *testing.T) {
	fromYAML := load(t, base)
	for _, test := range []struct {
		name  string
		retry map[string]any
	}{
		{"texts, as from flags and variables", map[string]any{"max_attempts": "5", "base_delay": "300ms"}},
		{"numbers of JSON", map[string]any{"max_attempts": 5.0, "base_delay": "300ms"}},
		{"Go's own types", map[string]any{"max_attempts": 5, "base_delay": 300 * time.Millisecond}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := pipeline.Decode(map[string]any{"pipelines": map[string]any{"api": map[string]any{
				"order": []any{"timeout/total", "retry", "semaphore", "timeout/attempt"},
				"stages": map[string]any{
					"retry":           test.retry,
					"timeout/total":   map[any]any{"limit": "20s"},
					"timeout/attempt": map[string]string{"limit": "10s", "until": "headers"},
					"semaphore":       map[string]int{"max_concurrent": 8},
				},
			}}})
			require.NoError(t, err)
			require.Equal(t, fromYAML, f)
		})
	}
}

func TestDecodeTellsThePath(t *testing.T) {
	_, err := pipeline.Decode(map[string]any{"pipelines": map[string]any{"api": map[string]any{
		"order":  []string{"retry", "hedgehog"},
		"stages": map[string]any{"retry": map[string]any{"max_attempts": "many", "jiter": 1}},
	}}})
	require.ErrorContains(t, err, "pipelines.api.stages.retry.max_attempts: ")
	require.ErrorContains(t, err, `pipelines.api.stages.retry.jiter: unknown key; did you mean "jitter"?`)
	require.ErrorContains(t, err, `pipelines.api.order[1]: "hedgehog": unknown stage`)

	_, err = pipeline.Decode(map[string]any{"pipelines": map[string]any{"api": make(chan int)}})
	require.ErrorContains(t, err, "chan int")
}

// describe gives the order and the final settings, as String shows them.
func describe(t *testing.T, cfg pipeline.Config) string {
	t.Helper()
	return build(t, cfg, ok).String()
}

func TestConfigInGo(t *testing.T) {
	attempts := func(n int) retry.Config {
		c := retry.DefaultConfig()
		c.MaxAttempts = n
		return c
	}
	seven := attempts(7)
	for _, test := range []struct {
		name     string
		cfg      pipeline.Config
		contains []string
	}{
		{
			"a stage without settings takes its defaults",
			pipeline.Config{Order: []string{"retry"}},
			[]string{"at most 3 upstream requests", "\n  retry  {}\n"},
		},
		{
			"a stage's own Config",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": attempts(5)}},
			[]string{"max_attempts: 5"},
		},
		{
			"a pointer to it",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": &seven}},
			[]string{"max_attempts: 7"},
		},
		{
			"a map over the defaults",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": map[string]any{"max_attempts": 6}}},
			[]string{"retry  {max_attempts: 6}"},
		},
		{
			"a map over a preset",
			pipeline.Config{Extends: "llm", Stages: map[string]any{"retry": map[string]any{"max_attempts": 6}}},
			[]string{"max_attempts: 6, base_delay: 500ms"},
		},
		{
			"a Config over a preset is taken as it is",
			pipeline.Config{Extends: "llm", Stages: map[string]any{"retry": attempts(6)}},
			[]string{"retry            {max_attempts: 6}"},
		},
		{
			"nil restores the stage's defaults",
			pipeline.Config{Extends: "llm", Stages: map[string]any{"retry": nil}},
			[]string{"retry            {}"},
		},
		{
			"a nil pointer too",
			pipeline.Config{Extends: "llm", Stages: map[string]any{"retry": (*retry.Config)(nil)}},
			[]string{"retry            {}"},
		},
		{
			"a nil map changes nothing",
			pipeline.Config{Extends: "llm", Stages: map[string]any{"retry": map[string]any(nil)}},
			[]string{"max_attempts: 4, base_delay: 500ms"},
		},
		{
			"insert and off",
			pipeline.Config{
				Order:  []string{"retry", "semaphore"},
				Insert: map[string]pipeline.Position{"timeout/attempt": {After: "semaphore"}},
				Off:    []string{"retry"},
			},
			[]string{"api: at most 1 upstream request a call\n  semaphore", "\n  timeout/attempt"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := describe(t, test.cfg)
			for _, want := range test.contains {
				require.Contains(t, got, want)
			}
		})
	}
}

func TestNewTellsAllThatIsWrong(t *testing.T) {
	small := transport.DefaultConfig()
	small.DialTimeout = 0
	for _, test := range []struct {
		name string
		cfg  pipeline.Config
		want []string
	}{
		{
			"settings of another stage",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": semaphore.DefaultConfig()}},
			[]string{"stages.retry: a semaphore.Config can't be the settings of retry; it takes a retry.Config or a map[string]any"},
		},
		{
			"an empty Config",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": retry.Config{}}},
			[]string{"stages.retry: the settings are empty; begin with DefaultConfig"},
		},
		{
			"values",
			pipeline.Config{
				Order:     []string{"semaphore", "retry", "rety"},
				Stages:    map[string]any{"retry": map[string]any{"max_attempts": -1, "jiter": 0}, "semaphore": semaphore.Config{Queue: -3}},
				Transport: &small,
			},
			[]string{
				"stages.retry.max_attempts: -1 attempts are none",
				`stages.retry.jiter: unknown key; did you mean "jitter"?`,
				"stages.semaphore.queue: -3 is negative",
				"stages.semaphore.max_concurrent: 0 lets nobody through",
				`order[2]: "rety": unknown stage; did you mean "retry"?`,
				"transport.dial_timeout: 0s: must be above 0",
			},
		},
		{
			"values beside a preset's",
			pipeline.Config{Extends: "llm", Stages: map[string]any{
				"retry": map[string]any{"base_delay": "1m"}, "semaphore": map[string]any{"max_concurrent": 0}, "cache": 5, "rate_limit": ratelimit.Config{Queue: -1},
			}},
			[]string{
				"api: stages.cache: a int can't be the settings of cache",
				"\nstages.rate_limit.queue: -1",
				"\nstages.retry.max_delay: 30s is less than base_delay, 1m0s",
				"\nstages.semaphore.max_concurrent: 0 lets nobody through",
			},
		},
		{
			"order, insert, off and extends",
			pipeline.Config{
				Extends: "lmm",
				Order:   []string{"retry", "retry", ""},
				Insert:  map[string]pipeline.Position{"cache": {}, "semaphore": {Before: "retyr"}},
				Off:     []string{"timeout"},
			},
			[]string{
				`extends: "lmm": unknown pipeline; did you mean "llm"?`,
				`order[1]: "retry" stands twice`,
				`order[2]: "": unknown stage`,
				"insert.cache: say either before or after which stage",
				`insert.semaphore: "retyr" is not in the order; did you mean "retry"?`,
				`off[0]: "timeout" is not in the order, which is [retry]`,
			},
		},
		{
			"contradictory timeouts",
			pipeline.Config{Order: []string{"timeout/total", "timeout/attempt"}, Stages: map[string]any{
				"timeout/total": timeout.Config{Limit: time.Second, Until: timeout.UntilBody},
			}},
			[]string{"the 30s of timeout/attempt can never be reached within the 1s of timeout/total"},
		},
		{
			"something that can't be a setting",
			pipeline.Config{Order: []string{"retry"}, Stages: map[string]any{"retry": map[string]any{"max_attempts": func() {}}}},
			[]string{"stages.retry.max_attempts: a Go value of type func() can't be a setting"},
		},
		{
			"a store that nobody handed in",
			pipeline.Config{Order: []string{"cache"}, Stages: map[string]any{"cache": map[string]any{"store": "redis"}}},
			[]string{`"redis": the core does not link it: import "github.com/headgate-go/headgate/cachestore/redis" and load with the registry of pipeline.NewRegistry(pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open)); or hand it in with pipeline.WithStore`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := pipeline.New("api", test.cfg, pipeline.WithBase(untouched(t)))
			require.Error(t, err)
			require.Nil(t, p)
			require.ErrorContains(t, err, "pipeline api: ")
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestWithoutStagesAPipelineIsItsBase(t *testing.T) {
	for name, cfg := range map[string]pipeline.Config{
		"empty Config": {},
		"empty order":  {Extends: "standard", Order: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := build(t, cfg, ok)
			require.Empty(t, p.Warnings())
			require.Empty(t, p.Report())
			require.Equal(t, 200, get(t, p))
			require.NoError(t, p.Start(t.Context()))
			require.NoError(t, p.Stop(t.Context()))
		})
	}
}

func TestWithoutABaseAPipelineHasATransportOfItsOwn(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer srv.Close()
	cfg := transport.DefaultConfig()
	cfg.MaxIdleConnsPerHost = 3
	for name, p := range map[string]pipeline.Config{
		"with default settings":    {Order: []string{"retry"}},
		"with settings of its own": {Transport: &cfg},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := pipeline.New("api", p, pipeline.WithBase(nil))
			require.NoError(t, err)
			require.Contains(t, p.String(), "*transport.Transport")
			resp, err := p.Client().Get(srv.URL)
			require.NoError(t, err)
			require.Equal(t, 200, finish(t, resp))
			require.NoError(t, p.Stop(context.Background()))
		})
	}
}

func TestALoadedConfigCanBeChangedInGo(t *testing.T) {
	cfg := load(t, base).Pipelines["api"]
	cfg.Off = []string{"timeout/attempt"}
	cfg.Insert = map[string]pipeline.Position{"cache": {Before: "retry"}}
	cfg.Stages["cache"] = httpcache.DefaultConfig()
	p := build(t, cfg, ok)
	require.Empty(t, p.Warnings())
	var ids []string
	for _, r := range p.Report() {
		ids = append(ids, r.ID)
	}
	require.Equal(t, []string{"timeout/total", "cache", "retry", "semaphore"}, ids)
}

func TestPipelinesDoNotShareState(t *testing.T) {
	cfg := load(t, `
pipelines:
  api:
    order: [semaphore, cache]
    stages: {semaphore: {max_concurrent: 1, queue: 0}}
`).Pipelines["api"]
	one, two := build(t, cfg, openBodies), build(t, cfg, openBodies)
	resp := open(t, one)
	_, err := one.RoundTrip(request(t, t.Context(), http.MethodPost, "http://api.example.com/"))
	require.ErrorIs(t, err, semaphore.ErrQueueFull)
	other := open(t, two)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, other.Body.Close())
}
