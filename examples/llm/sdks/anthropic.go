package sdks

import (
	"context"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// anthropicSDK is github.com/anthropics/anthropic-sdk-go, Anthropic's own.
// DeepSeek and others have a compatible API.
type anthropicSDK struct {
	client anthropic.Client
	model  string
}

func newAnthropic(t Target) (Client, error) {
	return anthropicSDK{anthropic.NewClient(option.WithBaseURL(t.URL), option.WithAPIKey(t.Key), option.WithHTTPClient(t.HTTP)), t.Model}, nil
}

func (c anthropicSDK) params(prompt string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     anthropic.Model(c.model),
		MaxTokens: 1024,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))},
	}
}

func (c anthropicSDK) Ask(ctx context.Context, prompt string) (string, error) {
	reply, err := c.client.Messages.New(ctx, c.params(prompt))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, block := range reply.Content {
		text.WriteString(block.Text)
	}
	return text.String(), nil
}

func (c anthropicSDK) Stream(ctx context.Context, prompt string, piece func(string)) error {
	stream := c.client.Messages.NewStreaming(ctx, c.params(prompt))
	defer stream.Close()
	for stream.Next() {
		if event, ok := stream.Current().AsAny().(anthropic.ContentBlockDeltaEvent); ok {
			piece(event.Delta.Text)
		}
	}
	return stream.Err()
}
