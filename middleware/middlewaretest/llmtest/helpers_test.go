package llmtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	. "github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// shape is a way of asking.
type shape struct {
	api    API
	stream bool
}

func (s shape) String() string {
	if s.stream {
		return s.api.String() + " as a stream"
	}
	return s.api.String() + " as JSON"
}

func shapes() []shape {
	return []shape{{OpenAI, false}, {OpenAI, true}, {DeepSeek, false}, {DeepSeek, true}, {Anthropic, false}, {Anthropic, true}}
}

// ask is a request in the shape.
func (s shape) ask(t *testing.T, url string) *http.Request {
	t.Helper()
	path, model := "/v1/chat/completions", "gpt-5"
	switch s.api {
	case DeepSeek:
		path, model = "/chat/completions", "deepseek-chat"
	case Anthropic:
		path, model = "/v1/messages", "claude-sonnet-4-5"
	}
	body, err := json.Marshal(map[string]any{
		"model": model, "max_tokens": 100, "stream": s.stream,
		"messages": []map[string]string{{"role": "user", "content": "hello"}},
	})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(within(t), http.MethodPost, url+path, strings.NewReader(string(body)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if s.api == Anthropic {
		req.Header.Set("X-Api-Key", "key")
		req.Header.Set("Anthropic-Version", "2023-06-01")
	} else {
		req.Header.Set("Authorization", "Bearer key")
	}
	return req
}

// got is what a plain client saw.
type got struct {
	status int
	header http.Header
	body   string
	err    error // of the call or of the body
}

func (s shape) get(t *testing.T, u *Upstream) got {
	t.Helper()
	return do(u, s.ask(t, u.URL))
}

func do(u *Upstream, req *http.Request) got {
	resp, err := u.Client().Do(req)
	if err != nil {
		return got{err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return got{resp.StatusCode, resp.Header, string(body), err}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
