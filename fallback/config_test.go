package fallback_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

func canned(req *http.Request, _ fallback.Failure) (*http.Response, error) {
	return fallback.Static{Status: 200, Body: "canned"}.Response(req), nil
}

func TestDefaultConfigIsValidAndHasNoAnswers(t *testing.T) {
	require.NoError(t, fallback.DefaultConfig().Validate())
	require.Empty(t, fallback.DefaultConfig().Answers)
	require.Equal(t, fallback.Reasons(), fallback.DefaultConfig().On)
}

func TestEmptyConfigIsRefused(t *testing.T) {
	_, err := fallback.New(fallback.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	cfg := fallback.Config{
		On: []fallback.Reason{"busy", "bussy", "busy"},
		Answers: []fallback.AnswerConfig{
			{},
			named("two words"),
			{Func: "both", Static: &fallback.Static{Status: 200}},
			named("canned"), named("canned"),
			{Static: &fallback.Static{Status: 42, Headers: map[string]string{
				"X Y": "a", "X-Evil": "a\r\nSet-Cookie: s3cr3t", "x-twice": "a", "X-Twice": "b", "content-length": "7", "Headgate-Fallback": "x",
			}}},
			{Static: &fallback.Static{Status: 204, Body: "text"}},
		},
		ReplayBuffer: -1, KeepResponse: -1, KeepTime: 0,
	}
	err := cfg.Validate()
	for _, want := range []string{
		`on[1]: "bussy" is unknown; it can be one of [exhausted pushback busy failure rejected]`,
		`on[2]: "busy" is in the list twice`,
		`answers[0]: the answer is empty; it needs static, stale, upstream or func`,
		`answers[1].func: "two words" is not a name`,
		`answers[2]: there are 2 answers in one`,
		`answers[4].func: "canned" is in the list twice`,
		`answers[5].static.status: 42 is no final status code`,
		`answers[5].static.headers["X Y"]: it is not the name`,
		`answers[5].static.headers["X-Evil"]: the value holds a control character`,
		`answers[5].static.headers["x-twice"]: the field is there twice`,
		`answers[5].static.headers["content-length"]: the stage sets it`,
		`answers[5].static.headers["Headgate-Fallback"]: the stage sets it`,
		`answers[6]: it is never tried, because the static answer before it always succeeds`,
		`answers[6].static.body: a response with status 204 has no body`,
		`replay_buffer: -1 is negative`,
		`keep_response: -1 is negative`,
		`keep_time: 0s leaves no time`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "s3cr3t")
	var key interface{ Key() string }
	require.ErrorAs(t, err, &key)
	require.Equal(t, "on[1]", key.Key())
}

func TestAnEmptyListOfReasonsIsRefused(t *testing.T) {
	cfg := with(sorry)
	cfg.On = nil
	require.ErrorContains(t, cfg.Validate(), "on: the list is empty")
}

func TestAFuncThatNobodyGaveIsRefused(t *testing.T) {
	_, err := fallback.New(with(named("canned")))
	require.ErrorContains(t, err, `fallback: answers[0].func: no answer "canned" was given; the application gives them with WithAnswer, an option of the pipeline and of the stage`)
	_, err = fallback.New(with(named("caned")), fallback.WithAnswer("canned", fallback.Instant(canned)))
	require.ErrorContains(t, err, `there are: canned`)
	var problem *middleware.ConfigError
	require.ErrorAs(t, err, &problem)
	require.Equal(t, "answers[0].func", problem.Key())
}

func TestGivenAnswersAreChecked(t *testing.T) {
	_, err := fallback.New(with(),
		fallback.WithAnswer("two words", fallback.Instant(canned)),
		fallback.WithAnswer("stale", fallback.Instant(canned)),
		fallback.WithAnswer("none", nil),
		fallback.WithAnswer("twice", fallback.Instant(canned)), fallback.WithAnswer("twice", fallback.Instant(canned)),
	)
	require.ErrorContains(t, err, `WithAnswer("two words"): the name must be made of`)
	require.ErrorContains(t, err, `WithAnswer("stale"): the name is taken`)
	require.ErrorContains(t, err, `WithAnswer("none"): the answer is nil`)
	require.ErrorContains(t, err, `WithAnswer("twice"): the name is given twice`)
}

func TestYAML(t *testing.T) {
	cfg := fallback.DefaultConfig()
	require.NoError(t, yaml.UnmarshalWithOptions([]byte(`
on: [busy, rejected]
replay_buffer: 1MiB
answers:
  - func: second_provider
  - static:
      status: 503
      headers: {Retry-After: "30"}
      body: try later
`), &cfg, yaml.Strict()))
	want := with(named("second_provider"), fallback.AnswerConfig{Static: &fallback.Static{
		Status: 503, Headers: map[string]string{"Retry-After": "30"}, Body: "try later",
	}})
	want.On, want.ReplayBuffer = []fallback.Reason{fallback.ReasonBusy, fallback.ReasonRejected}, middleware.MiB
	require.Equal(t, want, cfg)
	require.NoError(t, cfg.Validate())
}

func TestUpdateKeepsCountsAndRefusesWhatIsWrong(t *testing.T) { // 28
	f, _ := newStage(t, with(sorry), fallback.WithAnswer("canned", fallback.Instant(canned)))
	rt := f.Wrap(fail(errDown))
	ask := func() string {
		resp, err := rt.RoundTrip(get(t))
		require.NoError(t, err)
		return read(t, resp)
	}
	require.Equal(t, `{"text":"sorry"}`, ask())

	require.Error(t, f.Update(fallback.Config{}))
	require.ErrorContains(t, f.Update(with(named("canned"), named("unknown"))), `answers[1].func: no answer "unknown" was given`)
	require.Equal(t, `{"text":"sorry"}`, ask(), "a bad configuration changes nothing")

	require.NoError(t, f.Update(with(named("canned"), sorry)))
	require.Equal(t, "canned", ask())
	require.Equal(t, []fallback.AnswerStats{{Name: "canned", Given: 1}, {Name: "static", Given: 2}}, f.Stats().Answers)

	require.NoError(t, f.Update(fallback.DefaultConfig()))
	_, err := rt.RoundTrip(get(t))
	require.ErrorIs(t, err, errDown)
	require.EqualValues(t, 3, f.Stats().FellBack)
}

func TestTheCallersConfigIsCopied(t *testing.T) {
	static := *sorry.Static
	static.Headers = map[string]string{"X-A": "1"}
	cfg := with(fallback.AnswerConfig{Static: &static})
	cfg.On = fallback.Reasons()
	f, _ := newStage(t, cfg)
	static.Body, static.Headers["X-A"], cfg.On[3] = "changed", "changed", "changed"
	resp, err := f.Wrap(fail(errDown)).RoundTrip(get(t))
	require.NoError(t, err)
	require.Equal(t, "1", resp.Header.Get("X-A"))
	require.Equal(t, `{"text":"sorry"}`, read(t, resp))
	require.False(t, errors.Is(err, errDown))
}
