package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// The markers are in everything that must not leave: credentials, prompts and
// completions, and what an upstream repeats of them in header fields and errors.
const (
	marker    = "M4RKER"
	primary   = "M4RKER-primary"
	secondary = "M4RKER-secondary"
	prompt    = "M4RKER-prompt"
)

// says is an answer of the upstream with markers wherever it can have some.
type says struct {
	status int
	label  string
	header string
	body   string
	broken error // the body ends with it
	hang   bool  // the body does not end, or the headers don't come if there is no body
	err    error // instead of an answer
}

const (
	delta      = `data: {"choices":[{"delta":{"content":"M4RKER-text"}}]}` + "\n\n"
	told       = `{"error":{"message":"M4RKER-prompt: try again in 20ms, concurrency limit of 7","type":"M4RKER","code":"M4RKER","param":"M4RKER-prompt"}}`
	usage      = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4}}` + "\n\n"
	claudeText = `data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"M4RKER-text"}}` + "\n\n"
)

// answersOfAnAPI are all the ways in which one answers.
func answersOfAnAPI() map[string]says {
	all := map[string]says{
		"JSON":                     {label: "application/json", body: `{"choices":[{"message":{"content":"M4RKER-text"}}],"usage":{"prompt_tokens":9,"completion_tokens":4}}`},
		"stream":                   {label: "text/event-stream", body: ": M4RKER\n\n" + delta + delta + usage + "data: [DONE]\n\n"},
		"Anthropic's stream":       {label: "text/event-stream", body: claudeText + `data: {"type":"message_stop"}` + "\n\n"},
		"an error as JSON":         {label: "application/json", body: "\n\n" + told},
		"an error as text":         {label: "application/json", body: `{"error":"M4RKER-prompt"}`},
		"an error event":           {label: "text/event-stream", body: "data: " + told + "\n\n"},
		"an error in the middle":   {label: "text/event-stream", body: delta + "event: error\ndata: " + told + "\n\n"},
		"cut":                      {label: "text/event-stream", body: delta + `data: {"choices":[{"delta":{"content":"M4RKER`},
		"cut JSON":                 {label: "application/json", body: `{"choices":[{"message":{"content":"M4RKER-te`},
		"broken":                   {label: "text/event-stream", body: delta, broken: errors.New("read: connection reset by peer")},
		"broken before the answer": {label: "text/event-stream", body: ": M4RKER\n\n", broken: errors.New("read: connection reset by peer")},
		"blank":                    {label: "application/json", body: "\n\n"},
		"hang":                     {hang: true},
		"hang in the middle":       {label: "text/event-stream", body: delta, hang: true},
		"reset":                    {err: errors.New("read: connection reset by peer")},
		"hint beyond the cap":      {status: 429, label: "application/json", header: "3600", body: told},
		"unlabelled":               {status: 429, body: prompt},
		"page":                     {label: "text/html", body: prompt},
	}
	for _, status := range []int{400, 401, 402, 404, 429, 500, 502, 503, 529} {
		all[fmt.Sprint(status)] = says{status: status, label: "application/json", body: told}
	}
	return all
}

// apiOf answers requests in one way, but every fourth of them well, and so does
// the other provider. It notes what it was sent.
type apiOf struct {
	usual says
	well  says

	mu   sync.Mutex
	sent map[string][]string // credentials by host
}

func (api *apiOf) RoundTrip(req *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(req.Body)
	_ = req.Body.Close()
	api.mu.Lock()
	defer api.mu.Unlock()
	api.sent[req.URL.Host] = append(api.sent[req.URL.Host], fmt.Sprint(req.Header, req.URL.RawQuery, string(body)))
	if len(api.sent[req.URL.Host])%4 == 0 || req.URL.Host != "api.deepseek.com" {
		return api.well.answer(req)
	}
	return api.usual.answer(req)
}

func (a says) answer(req *http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.hang && a.body == "" {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	h := http.Header{"Set-Cookie": {"session=M4RKER"}, "X-Request-Id": {"M4RKER"}, "Openai-Organization": {"M4RKER"}, "X-Ratelimit-Remaining-Tokens": {"M4RKER"}}
	if a.label != "" {
		h.Set("Content-Type", a.label)
	}
	if a.header != "" {
		h.Set("Retry-After", a.header)
	}
	status := a.status
	if status == 0 {
		status = 200
	}
	var end io.Reader = strings.NewReader("")
	if a.broken != nil {
		end = failed{a.broken}
	}
	if a.hang {
		end = hung{req.Context()}
	}
	return &http.Response{StatusCode: status, Header: h, Request: req, ContentLength: -1, Body: io.NopCloser(io.MultiReader(strings.NewReader(a.body), end))}, nil
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

type hung struct{ ctx context.Context }

func (h hung) Read([]byte) (int, error) {
	<-h.ctx.Done()
	return 0, h.ctx.Err()
}

// TestNoCredentialPromptOrCompletionLeaves sends prompts through the preset llm,
// with a budget of tokens and another provider, to an API that answers in every
// way, and looks for markers in all that the library says: events, log lines,
// errors, reports and descriptions.
func TestNoCredentialPromptOrCompletionLeaves(t *testing.T) {
	kinds := map[string]bool{}
	for name, a := range answersOfAnAPI() {
		for _, other := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, another provider %v", name, other), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					for _, line := range spoken(t, a, other, kinds) {
						require.NotContains(t, strings.ToUpper(line), marker)
					}
				})
			})
		}
	}
	for _, kind := range []string{"retrying", "gave_up", "recovered", "disguised", "empty", "cut", "failed", "usage", "fell_back", "timed_out", "paused", "opened", "rejected"} {
		require.True(t, kinds[kind], "no event %s was looked at, but %v", kind, kinds)
	}
}

// spoken is all that a pipeline says while an API answers so.
func spoken(t *testing.T, a says, other bool, kinds map[string]bool) (lines []string) {
	stages := map[string]any{
		"retry":      map[string]any{"max_attempts": 2},
		"rate_limit": map[string]any{"units": map[string]any{"limit": 100000, "per": "1m"}},
	}
	if !other {
		stages["circuit_breaker"] = map[string]any{"consecutive_failures": 2}
	} else {
		stages["fallback"] = map[string]any{"answers": []any{map[string]any{"upstream": map[string]any{
			"name": "second", "url": "https://second.example.com/v1", "strip": "/v1", "model": "m2", "drop": []any{"user"}, "body_bytes": "1MiB",
			"credential_header": "Authorization", "credential": "Bearer " + secondary,
		}}}}
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	var log bytes.Buffer
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(zapcore.AddSync(&log)), zapcore.DebugLevel))
	watch := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
		say("%+v %+v %v", e, e.Err, e.Attrs)
		mu.Lock()
		defer mu.Unlock()
		kinds[e.Kind] = true
	})
	api := &apiOf{usual: a, well: answersOfAnAPI()["stream"], sent: map[string][]string{}}
	cfg := pipeline.Config{Extends: "llm", Stages: stages}
	p, err := pipeline.New("api", cfg, pipeline.WithBase(api), pipeline.WithLogger(logger), pipeline.WithObserver(watch))
	require.NoError(t, err)
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://user:"+primary+"@api.deepseek.com/v1/chat/completions?key="+primary,
			strings.NewReader(`{"model":"m1","user":"`+primary+`","messages":[{"role":"user","content":"`+prompt+`"}],"stream":true}`))
		require.NoError(t, err)
		req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + primary}, "X-Api-Key": {primary}, "Cookie": {"a=" + primary}}
		resp, err := p.RoundTrip(req)
		if err == nil {
			var body []byte
			body, err = io.ReadAll(resp.Body)
			require.True(t, resp.StatusCode >= 400 || bytes.Contains(body, []byte(marker)), "the caller gets what it is for")
			require.NoError(t, resp.Body.Close())
		}
		if err != nil {
			say("%v %+v", err, err)
		}
		cancel()
	}
	report, err := json.Marshal(p.Report())
	require.NoError(t, err)
	say("%s %+v %s", report, p.Report(), p)
	require.NoError(t, p.Stop(context.WithoutCancel(t.Context())))
	synctest.Wait() // nobody speaks any more
	say("%s", log.String())

	require.NotEmpty(t, api.sent["api.deepseek.com"])
	require.NotContains(t, fmt.Sprint(api.sent["api.deepseek.com"]), secondary)
	require.Contains(t, fmt.Sprint(api.sent["api.deepseek.com"]), prompt)
	require.NotContains(t, fmt.Sprint(api.sent["second.example.com"]), primary, "the primary's credentials stay with it")
	return lines
}
