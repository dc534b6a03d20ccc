package sdks

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/cohesion-org/deepseek-go"
)

// deepSeek is github.com/cohesion-org/deepseek-go, the most used one for DeepSeek.
type deepSeek struct {
	client *deepseek.Client
	model  string
}

func newDeepSeek(t Target) (Client, error) {
	client, err := deepseek.NewClientWithOptions(t.Key, deepseek.WithBaseURL(t.URL+"/v1/"), deepseek.WithHTTPClient(t.HTTP))
	if err != nil {
		return nil, err
	}
	return deepSeek{client, t.Model}, nil
}

func messages(prompt string) []deepseek.ChatCompletionMessage {
	return []deepseek.ChatCompletionMessage{{Role: deepseek.ChatMessageRoleUser, Content: prompt}}
}

func (c deepSeek) Ask(ctx context.Context, prompt string) (string, error) {
	reply, err := c.client.CreateChatCompletion(ctx, &deepseek.ChatCompletionRequest{Model: c.model, Messages: messages(prompt)})
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, choice := range reply.Choices {
		text.WriteString(choice.Message.Content)
	}
	return text.String(), nil
}

func (c deepSeek) Stream(ctx context.Context, prompt string, piece func(string)) error {
	stream, err := c.client.CreateChatCompletionStream(ctx, &deepseek.StreamChatCompletionRequest{Model: c.model, Messages: messages(prompt)})
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
