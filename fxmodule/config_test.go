package fxmodule_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/pipeline"
)

func TestOverlaysChooseTheEnvironment(t *testing.T) {
	fsys := files(twoPipelines)
	fsys["http.production.yaml"] = &fstest.MapFile{Data: []byte(
		"pipelines: {search: {stages: {retry: {max_attempts: 7}}}}")}

	for name, tt := range map[string]struct {
		overlays []string
		want     string
	}{
		"development": {nil, "max_attempts: 2"},
		"production":  {[]string{"http.production.yaml"}, "max_attempts: 7"},
	} {
		t.Run(name, func(t *testing.T) {
			var app both
			started(t, fxmodule.Module, fxmodule.Config(fsys, "http.yaml", tt.overlays...),
				fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"), fx.Invoke(func(in both) { app = in }))
			require.Contains(t, app.Search.String(), tt.want)
			require.Contains(t, app.Deepseek.String(), "max_attempts: 4", "the overlay says nothing of it")
		})
	}
}

func TestAllThatIsWrongIsInErrAndNothingStarts(t *testing.T) {
	const broken = `pipelines:
  deepseek:
    order: [retry, semafore]
    stages:
      retry: {max_atempts: 3}
  search:
    order: [timeout]
    stages:
      timeout: {limit: -1s}
`
	begun := false
	app := fx.New(fx.NopLogger, configured(broken), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.StartHook(func() { begun = true }))
		}))

	err := app.Err()
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	for _, want := range []string{
		`http.yaml:3:20: pipelines.deepseek.order[1]: "semafore": unknown stage; did you mean "semaphore"?`,
		`http.yaml:5:15: pipelines.deepseek.stages.retry.max_atempts: unknown key; did you mean "max_attempts"?`,
		`http.yaml:9:17: pipelines.search.stages.timeout.limit: `,
	} {
		require.True(t, hasLine(lines, want), "no line begins with %q in:\n%s", want, err)
	}

	var one *pipeline.ConfigError
	require.ErrorAs(t, err, &one)
	require.Equal(t, "http.yaml", one.File)

	require.Error(t, app.Start(context.Background()))
	require.False(t, begun)
}

func hasLine(lines []string, prefix string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, prefix) {
			return true
		}
	}
	return false
}

func TestAMissingFileIsInErr(t *testing.T) {
	err := failing(fxmodule.Module, fxmodule.Config(files(twoPipelines), "http.yaml", "http.staging.yaml"), fxmodule.Pipeline("search"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "http.staging.yaml")
}

func TestPipelinesThatTheFileDoesNotHaveAreToldTogether(t *testing.T) {
	err := failing(configured(twoPipelines), fxmodule.Pipeline("serch"), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("maps"))
	require.ErrorContains(t, err, "configuration:\n"+`pipeline "maps": unknown pipeline; valid pipelines: deepseek, search`)
	require.ErrorContains(t, err, `pipeline "serch": unknown pipeline; did you mean "search"?`)

	err = failing(fxmodule.Module, fx.Supply(pipeline.File{}), fxmodule.Pipeline("search"))
	require.ErrorContains(t, err, `pipeline "search": unknown pipeline`)
}

func TestAConfigurationMadeInGo(t *testing.T) {
	settings := retry.DefaultConfig()
	settings.MaxAttempts = 5
	var app both
	started(t, fxmodule.Module, fx.Supply(pipeline.File{Pipelines: map[string]pipeline.Config{
		"deepseek": {Order: []string{"retry"}, Stages: map[string]any{"retry": settings}},
		"search":   {Order: []string{"timeout"}},
	}}), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"), fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "max_attempts: 5")
	require.Contains(t, app.Search.String(), "timeout")
}

func TestAConfigurationDecodedFromAMap(t *testing.T) {
	values := map[string]any{"pipelines": map[string]any{
		"deepseek": map[string]any{"order": []any{"witness"}},
		"search":   map[string]any{"order": []any{"retry"}},
	}}
	var app both
	started(t, fxmodule.Module, fx.Supply(&journal{}), fxmodule.Stage(witness),
		fx.Provide(func(r *pipeline.Registry) (pipeline.File, error) { return r.Decode(values) }),
		fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"), fx.Invoke(func(in both) { app = in }))
	require.Contains(t, app.Deepseek.String(), "witness")
}

func TestWarningsOfTheFileAreLoggedIfThereIsALogger(t *testing.T) {
	const careless = "pipelines: {search: {order: [retry], stages: {semaphore: {max_concurrent: 2}}}}"
	core, logs := observer.New(zapcore.WarnLevel)
	started(t, configured(careless), fxmodule.Pipeline("search"), fx.Supply(zap.New(core)))
	require.Equal(t, 1, logs.FilterMessage("configuration").Len())
	require.Equal(t, "pipelines.search.stages.semaphore: settings for a stage that is not in the order",
		logs.All()[0].ContextMap()["warning"])

	started(t, configured(careless), fxmodule.Pipeline("search")) // and without one nothing happens
}

func TestAnErrorOfTheConfigurationIsTheApplicationsToRead(t *testing.T) {
	own := errors.New("the vault is sealed")
	err := failing(fxmodule.Module, fxmodule.Pipeline("search"),
		fx.Provide(func() (pipeline.File, error) { return pipeline.File{}, own }))
	require.ErrorIs(t, err, own)
}
