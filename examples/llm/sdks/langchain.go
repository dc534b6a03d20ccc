package sdks

import (
	"context"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
)

// langChain is github.com/tmc/langchaingo with its OpenAI client.
type langChain struct{ model *openai.LLM }

func newLangChain(t Target) (Client, error) {
	model, err := openai.New(openai.WithBaseURL(t.URL+"/v1"), openai.WithToken(t.Key), openai.WithModel(t.Model), openai.WithHTTPClient(t.HTTP))
	if err != nil {
		return nil, err
	}
	return langChain{model}, nil
}

func (c langChain) Ask(ctx context.Context, prompt string) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, c.model, prompt)
}

func (c langChain) Stream(ctx context.Context, prompt string, piece func(string)) error {
	_, err := llms.GenerateFromSinglePrompt(ctx, c.model, prompt, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		piece(string(chunk))
		return nil
	}))
	return err
}
