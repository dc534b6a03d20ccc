package fxmodule_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

func TestTwoPipelinesOfOneApplicationAreKnownByName(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(503, "busy")))
	var app both
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		fx.Invoke(func(in both) { app = in }))

	require.Equal(t, "deepseek", app.Deepseek.Name())
	require.Equal(t, "search", app.Search.Name())
	require.Same(t, app.Deepseek, app.DeepseekClient.Transport)

	status, _ := get(t, app.DeepseekClient, up.URL)
	require.Equal(t, 503, status)
	require.Equal(t, 4, up.Stats().Requests, "deepseek makes 4 attempts")

	get(t, app.SearchClient, up.URL)
	require.Equal(t, 4+2, up.Stats().Requests, "search makes 2 attempts")
}

func TestBaseOfAPipelineIsTheRoundTripperOfItsName(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(200, "from the wire")))
	base := &answering{status: 204}
	var app both
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		named("deepseek", base),
		fx.Invoke(func(in both) { app = in }))

	status, _ := get(t, app.DeepseekClient, up.URL)
	require.Equal(t, 204, status)
	require.Equal(t, 1, base.requests())
	require.Zero(t, up.Stats().Requests)

	_, body := get(t, app.SearchClient, up.URL)
	require.Equal(t, "from the wire", body)
	require.Equal(t, 1, base.requests(), "search has a transport of its own")
}

func TestARoundTripperWithoutAPipelinesNameIsNobodysBase(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(200, "from the wire")))
	stranger := &answering{status: 204}
	var app both
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		fx.Supply(fx.Annotate(stranger, fx.As(new(http.RoundTripper)))),
		fx.Invoke(func(in both) { app = in }))

	status, _ := get(t, app.DeepseekClient, up.URL)
	require.Equal(t, 200, status)
	require.Zero(t, stranger.requests())
}

func TestAPipelineIsBuiltAndStartedThoughNobodyTakesIt(t *testing.T) {
	j := &journal{}
	started(t, configured("pipelines: {lonely: {order: [witness]}}"), fxmodule.Pipeline("lonely"),
		fx.Supply(j), fxmodule.Stage(witness))
	require.Equal(t, []string{"lonely starts"}, j.read())
}

func TestMistakesOfTheApplicationAreTold(t *testing.T) {
	tests := map[string]struct {
		options []fx.Option
		says    string
	}{
		"an empty name": {
			[]fx.Option{configured(twoPipelines), fxmodule.Pipeline("")},
			"the name is empty",
		},
		"a pipeline twice": {
			[]fx.Option{configured(twoPipelines), fxmodule.Pipeline("search"), fxmodule.Pipeline("search")},
			`*pipeline.Pipeline[name="search"]`,
		},
		"no Module": {
			[]fx.Option{fxmodule.Config(files(twoPipelines), "http.yaml"), fxmodule.Pipeline("search")},
			"missing type: *pipeline.Registry",
		},
		"no configuration": {
			[]fx.Option{fxmodule.Module, fxmodule.Pipeline("search")},
			"missing type: pipeline.File",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, failing(tt.options...), tt.says)
		})
	}
}

func TestANameNeedNotBeAnIdentifier(t *testing.T) {
	var p *pipeline.Pipeline
	started(t, configured(`pipelines: {"my api/v2": {order: []}}`), fxmodule.Pipeline("my api/v2"),
		fx.Invoke(fx.Annotate(func(in *pipeline.Pipeline) { p = in }, fx.ParamTags(`name:"my api/v2"`))))
	require.Equal(t, "my api/v2", p.Name())
}
