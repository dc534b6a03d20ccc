package sdks

import (
	"context"
	"errors"
	"io"
	"strings"

	openai "github.com/sashabaranov/go-openai"
)

// goOpenAI is github.com/sashabaranov/go-openai, the community's.
type goOpenAI struct {
	client *openai.Client
	model  string
}

func newGoOpenAI(t Target) (Client, error) {
	cfg := openai.DefaultConfig(t.Key)
	cfg.BaseURL = t.URL + "/v1"
	cfg.HTTPClient = t.HTTP
	return goOpenAI{openai.NewClientWithConfig(cfg), t.Model}, nil
}

func (c goOpenAI) request(prompt string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{
		Model:    c.model,
		Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: prompt}},
	}
}

func (c goOpenAI) Ask(ctx context.Context, prompt string) (string, error) {
	reply, err := c.client.CreateChatCompletion(ctx, c.request(prompt))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, choice := range reply.Choices {
		text.WriteString(choice.Message.Content)
	}
	return text.String(), nil
}

func (c goOpenAI) Stream(ctx context.Context, prompt string, piece func(string)) error {
	stream, err := c.client.CreateChatCompletionStream(ctx, c.request(prompt))
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, choice := range chunk.Choices {
			piece(choice.Delta.Content)
		}
	}
}
