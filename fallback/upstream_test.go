package fallback_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

// web is a base with a handler for each host. It keeps what it was asked.
type web struct {
	hosts map[string]func() (int, string) // status and Retry-After
	asked []*http.Request
	texts []string
}

func (w *web) RoundTrip(req *http.Request) (*http.Response, error) {
	text := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		text = string(b)
	}
	w.asked, w.texts = append(w.asked, req), append(w.texts, text)
	status, after := w.hosts[req.URL.Host]()
	h := http.Header{}
	if after != "" {
		h.Set("Retry-After", after)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(req.URL.Host)), Request: req, ContentLength: -1}, nil
}

func (w *web) hostsAsked() []string {
	var all []string
	for _, r := range w.asked {
		all = append(all, r.URL.Host)
	}
	w.asked = nil
	return all
}

func always(status int, after string) func() (int, string) {
	return func() (int, string) { return status, after }
}

func other(change func(*fallback.Upstream)) fallback.AnswerConfig {
	u := fallback.Upstream{
		Name: "other", URL: "https://other.test/api/v1", Strip: "/v1", Model: "big", Drop: []string{"thinking"}, BodyBytes: middleware.KiB,
		CredentialHeader: "Authorization", Credential: "Bearer OTHER SECRET",
	}
	if change != nil {
		change(&u)
	}
	return fallback.AnswerConfig{Upstream: &u}
}

func withAnswers(t testing.TB, w *web, answers ...fallback.AnswerConfig) http.RoundTripper {
	t.Helper()
	cfg := fallback.DefaultConfig()
	cfg.Answers = answers
	s, err := fallback.New(cfg)
	require.NoError(t, err)
	return middleware.Chain(w, s.Wrap)
}

func ask(t testing.TB, rt http.RoundTripper) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://primary.test/v1/chat/completions?key=QUERY", strings.NewReader(`{"messages":[{"content":"1 < 2"}], "model":"small","thinking":{"a":1},"n":1.0}`))
	require.NoError(t, err)
	for name, value := range map[string]string{
		"Authorization": "Bearer PRIMARY SECRET", "Cookie": "PRIMARY", "X-Api-Key": "PRIMARY", "Openai-Organization": "PRIMARY", "X-Custom": "PRIMARY",
		"Content-Type": "application/json", "User-Agent": "app", "X-Stainless-Lang": "go",
	} {
		req.Header.Set(name, value)
	}
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp, string(text)
}

func TestAnotherUpstreamAnswers(t *testing.T) {
	w := &web{hosts: map[string]func() (int, string){"primary.test": always(503, ""), "other.test": always(200, "")}}
	resp, text := ask(t, withAnswers(t, w, other(nil)))
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "other.test", text)
	require.Equal(t, "other; reason=busy", resp.Header.Get(fallback.Header))
	got := w.asked[1]
	require.Equal(t, "https://other.test/api/v1/chat/completions", got.URL.String())
	require.Equal(t, http.Header{
		"Authorization": {"Bearer OTHER SECRET"}, "Content-Type": {"application/json"}, "User-Agent": {"app"}, "X-Stainless-Lang": {"go"},
	}, got.Header, "nothing of the primary's own goes along")
	require.Equal(t, `{"messages":[{"content":"1 < 2"}],"model":"big","n":1.0}`, w.texts[1])
	require.Len(t, w.texts[1], int(got.ContentLength))
	again, err := got.GetBody()
	require.NoError(t, err)
	b, _ := io.ReadAll(again)
	require.Equal(t, w.texts[1], string(b), "and can be sent again")
}

func TestAnUpstreamThatFailsIsNoAnswer(t *testing.T) {
	w := &web{hosts: map[string]func() (int, string){"primary.test": always(503, ""), "other.test": always(401, ""), "third.test": always(200, "")}}
	resp, text := ask(t, withAnswers(t, w, other(nil), other(func(u *fallback.Upstream) { u.Name, u.URL = "third", "https://third.test" })))
	require.Equal(t, "third.test", text)
	require.Equal(t, "third; reason=busy", resp.Header.Get(fallback.Header))
	require.Equal(t, "/chat/completions", w.asked[2].URL.Path)

	resp, text = ask(t, withAnswers(t, w, other(nil)))
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, "primary.test", text, "without any answer, what the primary said goes back")
}

func TestABodyThatCannotBeRewrittenIsNoAnswer(t *testing.T) {
	w := &web{hosts: map[string]func() (int, string){"primary.test": always(503, ""), "other.test": always(200, "")}}
	resp, _ := ask(t, withAnswers(t, w, other(func(u *fallback.Upstream) { u.BodyBytes = 10 })))
	require.Equal(t, 503, resp.StatusCode)
	require.Equal(t, []string{"primary.test"}, w.hostsAsked())
}

func TestTheBodyGoesAsItIsWhereNothingIsToBeChanged(t *testing.T) {
	w := &web{hosts: map[string]func() (int, string){"primary.test": always(503, ""), "other.test": always(200, "")}}
	ask(t, withAnswers(t, w, other(func(u *fallback.Upstream) { u.Model, u.Drop, u.BodyBytes = "", nil, 0 })))
	require.Equal(t, w.texts[0], w.texts[1])
}

func TestThePrimaryIsAskedAgainWhenItsHintIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary := always(429, "30")
		w := &web{hosts: map[string]func() (int, string){"primary.test": func() (int, string) { return primary() }, "other.test": always(200, "")}}
		rt := withAnswers(t, w, other(nil))
		ask(t, rt)
		require.Equal(t, []string{"primary.test", "other.test"}, w.hostsAsked())
		time.Sleep(29 * time.Second)
		resp, _ := ask(t, rt)
		require.Equal(t, "other; reason=pushback", resp.Header.Get(fallback.Header))
		require.Equal(t, []string{"other.test"}, w.hostsAsked(), "while it is away, it is not asked")
		time.Sleep(time.Second)
		primary = always(200, "")
		_, text := ask(t, rt)
		require.Equal(t, "primary.test", text)
	})
}

func TestAQuotaThatIsUsedUpKeepsThePrimaryAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{hosts: map[string]func() (int, string){"primary.test": always(402, ""), "other.test": always(200, "")}}
		rt := withAnswers(t, w, other(nil))
		for _, want := range [][]string{{"primary.test", "other.test"}, {"other.test"}} {
			ask(t, rt)
			require.Equal(t, want, w.hostsAsked())
		}
		time.Sleep(5 * time.Minute)
		ask(t, rt)
		require.Equal(t, []string{"primary.test", "other.test"}, w.hostsAsked())
	})
}

func TestThePrimaryIsAskedWhileItIsAwayIfNobodyElseAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{hosts: map[string]func() (int, string){"primary.test": always(429, "30"), "other.test": always(500, "")}}
		rt := withAnswers(t, w, other(nil))
		ask(t, rt)
		w.hostsAsked()
		resp, _ := ask(t, rt)
		require.Equal(t, 429, resp.StatusCode)
		require.Equal(t, []string{"other.test", "primary.test"}, w.hostsAsked(), "the other one is not asked twice")
	})
}

func TestWeightsShareTheCalls(t *testing.T) {
	w := &web{hosts: map[string]func() (int, string){"primary.test": always(503, ""), "other.test": always(200, ""), "third.test": always(200, "")}}
	rt := withAnswers(t, w, other(func(u *fallback.Upstream) { u.Weight = 3 }),
		other(func(u *fallback.Upstream) { u.Name, u.URL, u.Weight = "third", "https://third.test", 1 }))
	counts := map[string]int{}
	const calls = 2000
	for range calls {
		_, text := ask(t, rt)
		counts[text]++
	}
	require.InDelta(t, calls*3/4, counts["other.test"], calls/10)
	require.Equal(t, calls, counts["other.test"]+counts["third.test"])
}

func TestACredentialIsShownNowhere(t *testing.T) {
	a := other(nil)
	text, err := json.Marshal(a.Upstream)
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %q %s", *a.Upstream, *a.Upstream, *a.Upstream, a.Upstream.Credential, a.Upstream.Credential, text), "SECRET")
	a.Upstream.Credential += "\n"
	cfg := fallback.DefaultConfig()
	cfg.Answers = []fallback.AnswerConfig{a}
	require.ErrorContains(t, cfg.Validate(), "credential: the value holds a control character")
	require.NotContains(t, cfg.Validate().Error(), "SECRET")
}

func TestWhatIsWrongWithAnUpstream(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fallback.Upstream)
		want   string
	}{
		"no name":                   {func(u *fallback.Upstream) { u.Name = "" }, "answers[0].upstream.name"},
		"a kind as the name":        {func(u *fallback.Upstream) { u.Name = "static" }, "answers[0].upstream.name"},
		"no URL":                    {func(u *fallback.Upstream) { u.URL = "other.test" }, "answers[0].upstream.url: it is not an absolute URL"},
		"a credential in the URL":   {func(u *fallback.Upstream) { u.URL = "https://a:SECRET@b.test" }, "a credential belongs in credential"},
		"an endpoint":               {func(u *fallback.Upstream) { u.URL = "https://api.anthropic.com/v1/messages" }, "Requests are not translated"},
		"strip":                     {func(u *fallback.Upstream) { u.Strip = "v1" }, "answers[0].upstream.strip"},
		"a credential for no field": {func(u *fallback.Upstream) { u.CredentialHeader = "" }, "credential and credential_header need each other"},
		"a strange field":           {func(u *fallback.Upstream) { u.CredentialHeader = "a b" }, "answers[0].upstream.credential_header"},
		"a weight":                  {func(u *fallback.Upstream) { u.Weight = -1 }, "answers[0].upstream.weight"},
		"no room to rewrite":        {func(u *fallback.Upstream) { u.BodyBytes = 0 }, "answers[0].upstream.body_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := fallback.DefaultConfig()
			cfg.Answers = []fallback.AnswerConfig{other(c.change)}
			err := cfg.Validate()
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "SECRET")
			require.NotContains(t, err.Error(), "twice", "there is one")
		})
	}
	cfg := fallback.DefaultConfig()
	cfg.MaxAway = -1
	both := other(nil)
	both.Func = "f"
	cfg.Answers = []fallback.AnswerConfig{other(nil), other(nil), both}
	for _, want := range []string{"max_away: -1ns", `answers[1].upstream.name: "other" is in the list twice`, "answers[2]: there are 2 answers in one"} {
		require.ErrorContains(t, cfg.Validate(), want)
	}
}
