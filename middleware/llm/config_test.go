package llm

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestAnEmptyConfigurationIsRefused(t *testing.T) {
	_, err := New(Config{})
	require.ErrorContains(t, err, "DefaultConfig")
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	_, err := New(Config{
		Provider: "depseek", Codes: map[string]int{"x": 200}, Content: []string{"a..b"}, Hold: HoldConfig{Time: -1, Bytes: -1},
		ErrorBytes: -1, RequestBytes: -1, BytesPerToken: -1, OutputTokens: -1,
	})
	for _, want := range []string{
		`provider: "depseek" is unknown; it can be one of auto, deepseek, openai, azure_openai, anthropic, gemini, groq, mistral, openrouter, generic`,
		"codes: 200", `content: "a..b"`, "hold.time: -1ns", "hold.bytes: -1", "error_bytes: -1", "error_time: 0s", "request_bytes: -1", "bytes_per_token: -1",
		"output_tokens: -1", "max_keys: 0",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestTheProviderIsKnownByTheHost(t *testing.T) {
	s := newSettings(DefaultConfig())
	for host, want := range map[string]string{
		"https://api.deepseek.com/v1":                                     "deepseek",
		"https://api.deepseek.com:443/anthropic":                          "deepseek",
		"https://my.openai.azure.com/openai":                              "azure_openai",
		"https://europe-west1-aiplatform.googleapis.com/v1":               "gemini",
		"https://eu.api.openai.com/v1":                                    "openai",
		"https://openrouter.ai/api/v1":                                    "openrouter",
		"http://localhost:8080/v1":                                        "generic",
		"https://api.deepseek.com.example.com":                            "generic",
		"https://api.anthropic.com/v1/messages":                           "anthropic",
		"https://generativelanguage.googleapis.com/v1beta/models/x:embed": "gemini",
	} {
		req, err := http.NewRequest(http.MethodPost, host, nil)
		require.NoError(t, err)
		require.Equal(t, want, s.of(req).Name, host)
	}
}

func TestAProfileCanBeAddedTo(t *testing.T) {
	l := stage(t, func(c *Config) {
		c.Provider = "openai"
		c.Codes = map[string]int{"house_full": 503}
		c.Content = []string{"choices.delta.scent"}
	}, nil)
	var s seen
	resp, err := post(t, l, &s, upstream{status: 400, header: asJSON, body: `{"error":{"code":"house_full"}}`})
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, middleware.Busy, s.outcome.Verdict)
	resp, err = post(t, l, &s, upstream{header: asEvents, body: `data: {"choices":[{"delta":{"scent":"rose"}}]}` + "\n\n" + errorChunk})
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode, "the scent is content, so that the answer has begun")
	require.NoError(t, resp.Body.Close())
}

func TestUpdateChangesTheSettings(t *testing.T) {
	l := stage(t, nil, nil)
	var s seen
	busy := upstream{status: 400, header: asJSON, body: `{"error":{"code":"house_full"}}`}
	resp, err := post(t, l, &s, busy)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, middleware.Invalid, s.outcome.Verdict)
	cfg := DefaultConfig()
	cfg.Codes = map[string]int{"house_full": 503}
	require.NoError(t, l.Update(cfg))
	resp, err = post(t, l, &s, busy)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, middleware.Busy, s.outcome.Verdict)
	cfg.Provider = ""
	require.ErrorContains(t, l.Update(cfg), "provider")
}

func TestWhatARequestTells(t *testing.T) {
	for name, c := range map[string]struct {
		url, body string
		change    func(*http.Request)
		want      middleware.RequestInfo
	}{
		"a stream":                 {"https://a.test", `{"messages":[{"content":"hi \"model\":\"x\""}],"model":"m","stream":true}`, nil, middleware.RequestInfo{Units: 18 + 500, Stream: true}},
		"bounded":                  {"https://a.test", `{"model":"m","max_tokens":100}`, nil, middleware.RequestInfo{Units: 7 + 100}},
		"bounded beyond the usual": {"https://a.test", `{"model":"m","max_completion_tokens":9000}`, nil, middleware.RequestInfo{Units: 10 + 500}},
		"Gemini":                   {"https://a.test/v1beta/models/gemini-2:generateContent", `{"contents":[]}`, nil, middleware.RequestInfo{Units: 3 + 500}},
		"Azure":                    {"https://a.test/openai/deployments/mine/chat/completions", `{}`, nil, middleware.RequestInfo{Units: 500}},
		"without GetBody":          {"https://a.test", `{"model":"m"}`, func(r *http.Request) { r.GetBody = nil }, middleware.RequestInfo{Units: 3 + 500}},
		"of unknown length":        {"https://a.test", `{"model":"m"}`, func(r *http.Request) { r.ContentLength = -1 }, middleware.RequestInfo{Units: 3 + 500}},
		"without a body":           {"https://a.test/v1/models", "", func(r *http.Request) { r.Body, r.GetBody, r.ContentLength = nil, nil, 0 }, middleware.RequestInfo{}},
		"of no JSON":               {"https://a.test", "\xff\x00{", nil, middleware.RequestInfo{Units: 500}},
		"with a nested stream":     {"https://a.test", `{"metadata":{"stream":true,"model":"x"}}`, nil, middleware.RequestInfo{Units: 10 + 500}},
	} {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, c.url, strings.NewReader(c.body))
			require.NoError(t, err)
			if c.change != nil {
				c.change(req)
			}
			in := stage(t, nil, nil).Wrap(http.DefaultTransport).(middleware.Inspector)
			require.Equal(t, c.want, in.Inspect(req))
			if req.Body != nil {
				text, err := io.ReadAll(req.Body)
				require.NoError(t, err)
				require.Equal(t, c.body, string(text), "the body is not touched")
			}
		})
	}
}
