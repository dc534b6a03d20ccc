package fxmodule_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/pipeline"
)

func TestAStageOfOnesOwnStandsWhereTheConfigurationSays(t *testing.T) {
	j, base := &journal{}, &answering{status: 503}
	var app both
	started(t, configured(`
pipelines:
  deepseek: {order: [witness, retry], stages: {retry: {base_delay: 1ms, max_attempts: 3}}}
  search: {order: [retry, witness], stages: {retry: {base_delay: 1ms, max_attempts: 3}}}
`),
		fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"),
		// In a module of its own, as a library would bring it: the type is there for all.
		fx.Module("audit", fx.Supply(j), fxmodule.Stage(witness)),
		named("deepseek", base), named("search", base),
		fx.Invoke(func(in both) { app = in }))

	get(t, app.DeepseekClient, "http://upstream.test/")
	get(t, app.SearchClient, "http://upstream.test/")
	require.Equal(t, []string{
		"deepseek starts", "search starts",
		"deepseek sends",
		"search sends", "search sends", "search sends",
	}, j.read())
}

func TestAStageOfNoOrderIsNotUsed(t *testing.T) {
	j := &journal{}
	started(t, configured(twoPipelines), fxmodule.Pipeline("deepseek"), fx.Supply(j), fxmodule.Stage(witness))
	require.Empty(t, j.read())
}

func TestMistakesOfAStageAreTold(t *testing.T) {
	sealed := errors.New("the vault is sealed")
	tests := map[string]struct {
		option fx.Option
		says   string
	}{
		"an error": {
			fxmodule.Stage(func() (pipeline.Factory, error) { return pipeline.Factory{}, sealed }),
			sealed.Error(),
		},
		"an empty factory": {
			fxmodule.Stage(func() pipeline.Factory { return pipeline.Factory{} }),
			"make it with Define",
		},
		"a type that is there": {
			fx.Options(fxmodule.Stage(witness), fxmodule.Stage(witness), fx.Supply(&journal{})),
			`stage type "witness" is defined twice`,
		},
		"no constructor": {
			fxmodule.Stage(pipeline.Factory{}),
			"Factory",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, failing(configured(twoPipelines), fxmodule.Pipeline("search"), tt.option), tt.says)
		})
	}
}
