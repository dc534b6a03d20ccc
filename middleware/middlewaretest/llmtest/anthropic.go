package llmtest

import (
	"strconv"
	"strings"
)

// The shapes of messages (docs.claude.com/en/api/messages and .../messages-streaming).

type anthropicBlock struct {
	Type     string  `json:"type"`
	Thinking *string `json:"thinking,omitempty"`
	// Signature belongs to thinking.
	Signature *string `json:"signature,omitempty"`
	Text      *string `json:"text,omitempty"`
}

type anthropicUsage struct {
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
}

type anthropicMessage struct {
	ID           string           `json:"id"`
	Type         string           `json:"type"`
	Role         string           `json:"role"`
	Model        string           `json:"model"`
	Content      []anthropicBlock `json:"content"`
	StopReason   *string          `json:"stop_reason"`
	StopSequence *string          `json:"stop_sequence"`
	Usage        anthropicUsage   `json:"usage"`
}

type anthropicDelta struct {
	Type       string  `json:"type,omitempty"`
	Thinking   *string `json:"thinking,omitempty"`
	Text       *string `json:"text,omitempty"`
	StopReason *string `json:"stop_reason,omitempty"`
}

type anthropicEvent struct {
	Type         string            `json:"type"`
	Message      *anthropicMessage `json:"message,omitempty"`
	Index        *int              `json:"index,omitempty"`
	ContentBlock *anthropicBlock   `json:"content_block,omitempty"`
	Delta        *anthropicDelta   `json:"delta,omitempty"`
	Usage        *anthropicUsage   `json:"usage,omitempty"`
}

func anthropicHead(to Request) anthropicMessage {
	return anthropicMessage{
		ID: "msg_" + strconv.Itoa(to.Number), Type: "message", Role: "assistant", Model: to.model(),
		Content: []anthropicBlock{}, Usage: anthropicUsage{InputTokens: promptTokens, OutputTokens: 1},
	}
}

func anthropicBody(to Request, r Reply) []byte {
	m, stop, text := anthropicHead(to), "end_turn", r.String()
	if len(r.Reasoning) > 0 {
		thinking, signature := strings.Join(r.Reasoning, ""), "c2lnbmVk"
		m.Content = append(m.Content, anthropicBlock{Type: "thinking", Thinking: &thinking, Signature: &signature})
	}
	m.Content = append(m.Content, anthropicBlock{Type: "text", Text: &text})
	m.StopReason = &stop
	m.Usage.OutputTokens = r.tokens()
	return encode(m)
}

func anthropicEvents(to Request, r Reply) []event {
	var events []event
	add := func(e anthropicEvent) *event {
		events = append(events, event{name: e.Type, data: string(encode(e))})
		return &events[len(events)-1]
	}
	head := anthropicHead(to)
	add(anthropicEvent{Type: "message_start", Message: &head})
	blocks, empty := 0, ""
	block := func(begin anthropicBlock, pieces []string, delta func(piece string) anthropicDelta) {
		index := blocks
		blocks++
		add(anthropicEvent{Type: "content_block_start", Index: &index, ContentBlock: &begin})
		for _, piece := range pieces {
			d := delta(piece)
			add(anthropicEvent{Type: "content_block_delta", Index: &index, Delta: &d}).token = true
		}
		add(anthropicEvent{Type: "content_block_stop", Index: &index})
	}
	if len(r.Reasoning) > 0 {
		block(anthropicBlock{Type: "thinking", Thinking: &empty, Signature: &empty}, r.Reasoning, func(piece string) anthropicDelta {
			return anthropicDelta{Type: "thinking_delta", Thinking: &piece}
		})
	}
	block(anthropicBlock{Type: "text", Text: &empty}, r.Text, func(piece string) anthropicDelta {
		return anthropicDelta{Type: "text_delta", Text: &piece}
	})
	stop := "end_turn"
	add(anthropicEvent{Type: "message_delta", Delta: &anthropicDelta{StopReason: &stop}, Usage: &anthropicUsage{OutputTokens: r.tokens()}})
	add(anthropicEvent{Type: "message_stop"})
	return events
}
