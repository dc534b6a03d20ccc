package pipeline_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

func TestCustomStage(t *testing.T) {
	var j journal
	var built []probe
	r := registry(t, probing("probe", &j, func(cfg probe, _ *pipeline.Stage[probe]) { built = append(built, cfg) }))

	f, err := r.Load(files("http.yaml", `
pipelines:
  api:
    order: [probe/outer, retry, probe]
    stages:
      probe/outer: {label: out}
      probe: {count: 3}
`), "http.yaml")
	require.NoError(t, err)
	p, err := r.New("api", f.Pipelines["api"], pipeline.WithBase(ok))
	require.NoError(t, err)
	require.Equal(t, []probe{{Label: "out"}, {Label: "default", Count: 3}}, built)
	require.Equal(t, 200, get(t, p))
	require.Equal(t, []string{"call probe/outer", "call probe"}, j.take())
}

func TestCustomSettingsAreReadStrictly(t *testing.T) {
	r := registry(t, probing("probe", new(journal), nil))
	_, err := r.Load(files("http.yaml", `
pipelines:
  api:
    order: [probe]
    stages:
      probe: {lable: x, count: -2}
`), "http.yaml")
	require.ErrorContains(t, err, `http.yaml:6:15: pipelines.api.stages.probe.lable: unknown key; did you mean "label"?`)
	require.ErrorContains(t, err, "http.yaml:6:25: pipelines.api.stages.probe.count: -2 is negative; 0 is none")
}

// needed is the configuration of a stage that can't do without.
type needed struct {
	URL string `yaml:"url"`
}

func (n needed) Validate() error {
	var p middleware.Problems
	p.Check(n.URL != "", "url", "it is empty; write where to go")
	return p.Err()
}

func TestAStageThatNeedsSettingsSaysWhereTheyAreMissing(t *testing.T) {
	r := registry(t, pipeline.Define("needy", func() needed { return needed{} }, func(needed, pipeline.Env) (pipeline.Stage[needed], error) {
		return pipeline.Stage[needed]{Wrap: func(next http.RoundTripper) http.RoundTripper { return next }}, nil
	}))
	_, err := r.Load(files("http.yaml", "pipelines: {api: {order: [needy]}}"), "http.yaml")
	require.EqualError(t, err, "http.yaml:1:27: pipelines.api.stages.needy.url: it is empty; write where to go")
	_, err = r.Load(files("http.yaml", "pipelines: {api: {order: [needy], stages: {needy: {url: x}}}}"), "http.yaml")
	require.NoError(t, err)
}

func TestRegistryRefuses(t *testing.T) {
	factory := func(typ string) pipeline.Factory { return probing(typ, new(journal), nil) }
	for _, test := range []struct {
		name  string
		parts []pipeline.Factory
		want  []string
	}{
		{"a built-in type", []pipeline.Factory{factory("retry")}, []string{`stage type "retry" is defined twice`}},
		{"a type that stands twice", []pipeline.Factory{factory("mine"), factory("mine")}, []string{`stage type "mine" is defined twice`}},
		{"an empty Factory", []pipeline.Factory{{}}, []string{"an empty Factory; make it with Define"}},
		{
			"names that are not lower snake_case, all at once",
			[]pipeline.Factory{factory(""), factory("Mine"), factory("my-stage"), factory("my/stage"), factory("1st")},
			[]string{`stage type ""`, `stage type "Mine"`, `stage type "my-stage"`, `stage type "my/stage"`, `stage type "1st": write lower snake_case`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := pipeline.NewRegistry(test.parts...)
			require.Nil(t, r)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	require.Equal(t, "mine", factory("mine").Type())
}

func TestFactoriesThatFailAreAllReported(t *testing.T) {
	fails := func(typ string, err error) pipeline.Factory {
		return pipeline.Define(typ, func() probe { return probe{} }, func(probe, pipeline.Env) (pipeline.Stage[probe], error) {
			return pipeline.Stage[probe]{}, err
		})
	}
	cause := errors.New("no such model")
	r := registry(t, fails("broken", cause), fails("empty", nil))
	_, err := r.New("api", pipeline.Config{Order: []string{"broken/first", "retry", "empty"}}, pipeline.WithBase(ok))
	require.ErrorIs(t, err, cause)
	require.ErrorContains(t, err, "pipeline api: broken/first: no such model")
	require.ErrorContains(t, err, `empty: the factory of "empty" gave no Wrap`)
}

func TestEnvOfAStage(t *testing.T) {
	var env pipeline.Env
	r := registry(t, pipeline.Define("mine", func() probe { return probe{} }, func(_ probe, e pipeline.Env) (pipeline.Stage[probe], error) {
		env = e
		return pipeline.Stage[probe]{Wrap: func(next http.RoundTripper) http.RoundTripper { return next }}, nil
	}))
	cfg := pipeline.Config{Order: []string{"mine/one"}}

	_, err := r.New("api", cfg, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.Equal(t, "api", env.Pipeline)
	require.Equal(t, "mine/one", env.ID)
	require.NotNil(t, env.Logger)
	require.Nil(t, env.Observer, "nobody listens")
	require.Nil(t, env.Warmer, "this base can't warm")
	require.Equal(t, middleware.Reporter{Stage: "mine/one"}, env.Reporter())

	_, err = r.New("api", cfg)
	require.NoError(t, err)
	require.NotNil(t, env.Warmer, "a transport of its own can")
}
