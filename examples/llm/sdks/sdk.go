// Package sdks has five Go SDKs behind one small interface: a file each, with
// the SDK used as its README uses it, and nothing changed but the base URL and
// the http.Client.
package sdks

import (
	"context"
	"net/http"

	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
)

// Client asks a model.
type Client interface {
	// Ask returns the whole reply.
	Ask(ctx context.Context, prompt string) (string, error)
	// Stream hands on each piece of the reply as it comes, and returns nil when
	// the SDK says that the reply is complete.
	Stream(ctx context.Context, prompt string, piece func(string)) error
}

// Target is what a client talks to.
type Target struct {
	// URL is the API's, without /v1 and without a slash at its end.
	URL string
	// Key is the API's key.
	Key string
	// Model is the one to ask.
	Model string
	// HTTP is the way: a pipeline's client, or a plain one.
	HTTP *http.Client
}

// SDK is one of them.
type SDK struct {
	// Name is how its users call it, Version the one in go.mod.
	Name, Version string
	// API is the shape of its requests.
	API llmtest.API
	// Model is the one it is tried with.
	Model string
	// Repeats is how often it repeats a call by itself, unless a response says X-Should-Retry: false.
	Repeats int
	// New makes a client.
	New func(Target) (Client, error)
}

// All lists them.
func All() []SDK {
	return []SDK{
		{"openai-go", "v3.96.0", llmtest.OpenAI, "gpt-5-mini", 2, newOpenAI},
		{"go-openai", "v1.43.0", llmtest.OpenAI, "gpt-5-mini", 0, newGoOpenAI},
		{"anthropic", "v1.84.0", llmtest.Anthropic, "claude-sonnet-4-5", 2, newAnthropic},
		{"deepseek-go", "v1.3.2", llmtest.DeepSeek, "deepseek-chat", 0, newDeepSeek},
		{"langchaingo", "v0.1.14", llmtest.DeepSeek, "deepseek-chat", 0, newLangChain},
	}
}

// DeepSeek is the target for the real API of DeepSeek, which speaks both shapes.
func (s SDK) DeepSeek(key string, client *http.Client) Target {
	t := Target{URL: "https://api.deepseek.com", Key: key, Model: "deepseek-chat", HTTP: client}
	if s.API == llmtest.Anthropic {
		t.URL += "/anthropic"
	}
	return t
}
