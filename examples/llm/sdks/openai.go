package sdks

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// openAI is github.com/openai/openai-go/v3, OpenAI's own.
type openAI struct {
	client openai.Client
	model  string
}

func newOpenAI(t Target) (Client, error) {
	return openAI{openai.NewClient(option.WithBaseURL(t.URL+"/v1"), option.WithAPIKey(t.Key), option.WithHTTPClient(t.HTTP)), t.Model}, nil
}

func (c openAI) params(prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    c.model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
}

func (c openAI) Ask(ctx context.Context, prompt string) (string, error) {
	reply, err := c.client.Chat.Completions.New(ctx, c.params(prompt))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, choice := range reply.Choices {
		text.WriteString(choice.Message.Content)
	}
	return text.String(), nil
}

func (c openAI) Stream(ctx context.Context, prompt string, piece func(string)) error {
	stream := c.client.Chat.Completions.NewStreaming(ctx, c.params(prompt))
	defer stream.Close()
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			piece(choice.Delta.Content)
		}
	}
	return stream.Err()
}
