package fxmodule_test

import (
	"net/http"
	"net/http/cookiejar"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

// attempts changes the settings of a pipeline's retry stage.
func attempts(n int) func(pipeline.Config) pipeline.Config {
	return func(c pipeline.Config) pipeline.Config {
		settings := c.Stages["retry"].(retry.Config)
		settings.MaxAttempts = n
		c.Stages["retry"] = settings
		return c
	}
}

func TestDecorateChangesOnePipelineOnly(t *testing.T) {
	var app both
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("deepseek", fx.Decorate(attempts(9))),
		fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "max_attempts: 9")
	require.Contains(t, app.Search.String(), "max_attempts: 2")
}

func TestDecorateCanChangeTheOrder(t *testing.T) {
	var app both
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("deepseek", fx.Decorate(func(c pipeline.Config) pipeline.Config {
			c.Off = append(c.Off, "semaphore")
			c.Insert = map[string]pipeline.Position{"timeout/total": {Before: "retry"}}
			return c
		})),
		fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))
	var ids []string
	for _, r := range app.Deepseek.Report() {
		ids = append(ids, r.ID)
	}
	require.Equal(t, []string{"timeout/total", "retry", "transport"}, ids)
}

func TestDecorateInPlaceLeavesAPipelineAloneThatSharesTheSettings(t *testing.T) {
	shared := pipeline.Config{
		Order:     []string{"retry"},
		Stages:    map[string]any{"retry": retry.DefaultConfig()},
		Transport: new(transport.DefaultConfig()),
	}
	var app both
	started(t, fxmodule.Module,
		fx.Supply(pipeline.File{Pipelines: map[string]pipeline.Config{"deepseek": shared, "search": shared}}),
		fxmodule.Pipeline("deepseek", fx.Decorate(func(c pipeline.Config) pipeline.Config {
			c.Transport.HTTP2 = false
			c.Order[0] = "retry/patient"
			c.Stages["retry/patient"] = c.Stages["retry"]
			delete(c.Stages, "retry")
			return c
		})),
		fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "retry/patient")
	require.NotContains(t, app.Search.String(), "patient")
	require.True(t, shared.Transport.HTTP2)
}

func TestDecorateCanAddSettingsWhereThereAreNone(t *testing.T) {
	var app both
	started(t, fxmodule.Module,
		fx.Supply(pipeline.File{Pipelines: map[string]pipeline.Config{
			"deepseek": {Order: []string{"retry"}}, "search": {Order: []string{"retry"}},
		}}),
		fxmodule.Pipeline("deepseek", fx.Decorate(func(c pipeline.Config) pipeline.Config {
			c.Stages["retry"] = map[string]any{"max_attempts": 8}
			c.Insert["timeout"] = pipeline.Position{Before: "retry"}
			return c
		})),
		fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "max_attempts: 8")
	require.Contains(t, app.Deepseek.String(), "timeout")
}

func TestDecorateOfTheFileChangesAllPipelinesFromOutside(t *testing.T) {
	var app both
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		fx.Decorate(func(f pipeline.File) pipeline.File {
			for name, c := range f.Pipelines {
				f.Pipelines[name] = attempts(6)(c)
			}
			return f
		}),
		fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "max_attempts: 6")
	require.Contains(t, app.Search.String(), "max_attempts: 6")
}

func TestADecoratedConfigurationIsCheckedAsAnyOther(t *testing.T) {
	err := failing(configured(twoPipelines), fxmodule.Pipeline("search", fx.Decorate(attempts(-1))))
	require.ErrorContains(t, err, "pipeline search: stages.retry.max_attempts: -1")
}

func TestTheConfigOfAPipelineIsItsOwn(t *testing.T) {
	err := failing(configured(twoPipelines), fxmodule.Pipeline("search"), fx.Invoke(func(pipeline.Config) {}))
	require.ErrorContains(t, err, "missing type: pipeline.Config", "nobody outside sees it")

	// And what the application has of the same types is none of its business.
	var app both
	stranger := &pipeline.Pipeline{}
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		fx.Supply(pipeline.Config{Order: []string{"timeout"}}, stranger),
		fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Search.String(), "max_attempts: 2")
	require.NotSame(t, stranger, app.Search)
}

func TestWithinItsModuleAPipelineNeedsNoName(t *testing.T) {
	var names []string
	note := fx.Invoke(func(p *pipeline.Pipeline, c *http.Client) {
		require.Same(t, p, c.Transport)
		names = append(names, p.Name())
	})
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek", note), fxmodule.Pipeline("search", note))
	require.Equal(t, []string{"deepseek", "search"}, names)
}

func TestAClientIsDecoratedForOnePipelineOnly(t *testing.T) {
	var app both
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("deepseek", fx.Decorate(func(c *http.Client) *http.Client {
			jar, err := cookiejar.New(nil)
			require.NoError(t, err)
			c.Jar = jar
			return c
		})),
		fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))
	require.NotNil(t, app.DeepseekClient.Jar)
	require.Nil(t, app.SearchClient.Jar)
}

func TestALoggerIsDecoratedForOnePipelineOnly(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	base := &answering{status: 503}
	var app both
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("deepseek", fx.Decorate(func(l *zap.Logger) *zap.Logger { return l.Named("llm") })),
		fxmodule.Pipeline("search"),
		fx.Supply(zap.New(core)), named("deepseek", base), named("search", base),
		fx.Invoke(func(in both) { app = in }))

	get(t, app.DeepseekClient, "http://upstream.test/")
	get(t, app.SearchClient, "http://upstream.test/")

	names := map[string][]string{}
	for _, l := range logs.All() {
		of := l.ContextMap()["pipeline"].(string)
		if !slices.Contains(names[of], l.LoggerName) {
			names[of] = append(names[of], l.LoggerName)
		}
	}
	require.Equal(t, map[string][]string{"deepseek": {"llm"}, "search": {""}}, names)
}
