package llmtest

import (
	"encoding/json"
	"strconv"
)

// The shapes of chat completions (platform.openai.com/docs/api-reference/chat,
// api-docs.deepseek.com/api/create-chat-completion). Fields are in the order in which the APIs send them.

type chatMessage struct {
	Role      string `json:"role,omitempty"`
	Content   string `json:"content"`
	Reasoning string `json:"reasoning_content,omitempty"`
}

type chatDelta struct {
	Role      string  `json:"role,omitempty"`
	Content   *string `json:"content,omitempty"`
	Reasoning *string `json:"reasoning_content,omitempty"`
}

type chatChoice struct {
	Index        int          `json:"index"`
	Message      *chatMessage `json:"message,omitempty"`
	Delta        *chatDelta   `json:"delta,omitempty"`
	FinishReason *string      `json:"finish_reason"`
}

type chatUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

type chatObject struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
	Usage   *chatUsage   `json:"usage,omitempty"`
}

// promptTokens is what every prompt counts.
const promptTokens = 8

func chatHead(to Request, object string) chatObject {
	return chatObject{
		ID:      "chatcmpl-" + strconv.Itoa(to.Number),
		Object:  object,
		Created: to.At.Unix(),
		Model:   to.model(),
		Choices: []chatChoice{},
	}
}

func usageOf(r Reply) *chatUsage {
	return &chatUsage{PromptTokens: promptTokens, CompletionTokens: r.tokens(), TotalTokens: promptTokens + r.tokens()}
}

func chatBody(to Request, r Reply) []byte {
	o, stop := chatHead(to, "chat.completion"), "stop"
	message := chatMessage{Role: "assistant", Content: r.String()}
	for _, piece := range r.Reasoning {
		message.Reasoning += piece
	}
	o.Choices = append(o.Choices, chatChoice{Message: &message, FinishReason: &stop})
	o.Usage = usageOf(r)
	return encode(o)
}

func chatEvents(to Request, r Reply) []event {
	chunk := func(d chatDelta, finish *string) event {
		o := chatHead(to, "chat.completion.chunk")
		o.Choices = append(o.Choices, chatChoice{Delta: &d, FinishReason: finish})
		return event{data: string(encode(o))}
	}
	token := func(d chatDelta) event {
		e := chunk(d, nil)
		e.token = true
		return e
	}
	empty, stop := "", "stop"
	events := []event{chunk(chatDelta{Role: "assistant", Content: &empty}, nil)}
	for _, piece := range r.Reasoning {
		events = append(events, token(chatDelta{Reasoning: &piece}))
	}
	for _, piece := range r.Text {
		events = append(events, token(chatDelta{Content: &piece}))
	}
	events = append(events, chunk(chatDelta{}, &stop))
	if to.Usage {
		o := chatHead(to, "chat.completion.chunk")
		o.Usage = usageOf(r)
		events = append(events, event{data: string(encode(o))})
	}
	return append(events, event{data: "[DONE]"})
}

// encode is json.Marshal for the shapes of this package, which all have a JSON form.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}
