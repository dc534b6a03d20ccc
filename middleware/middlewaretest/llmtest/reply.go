package llmtest

import (
	"strings"
	"time"
)

// Reply is what the model says.
type Reply struct {
	// Reasoning are the pieces of what it thinks first: reasoning_content, or a block of thinking. Default none.
	Reasoning []string
	// Text are the pieces of the reply. A stream has an event for each, a JSON body has them joined.
	Text []string
	// Gap is the pause before each piece of a stream; a JSON body takes as long as all of them. Default 0.
	Gap time.Duration
}

// Words is a reply that arrives word by word.
func Words(text string) Reply { return Reply{Text: strings.SplitAfter(text, " ")} }

// String is the text of the reply.
func (r Reply) String() string { return strings.Join(r.Text, "") }

// tokens is how many pieces there are.
func (r Reply) tokens() int { return len(r.Reasoning) + len(r.Text) }

// event is one server-sent event.
type event struct {
	name, data string
	token      bool // a piece of the reply
}

// wire is the event as it is sent (WHATWG HTML, section 9.2.5).
func (e event) wire() string {
	if e.name == "" {
		return "data: " + e.data + "\n\n"
	}
	return "event: " + e.name + "\ndata: " + e.data + "\n\n"
}

// body is the reply as a JSON body.
func (r Reply) body(to Request) []byte {
	if to.API == Anthropic {
		return anthropicBody(to, r)
	}
	return chatBody(to, r)
}

// events is the reply as a stream.
func (r Reply) events(to Request) []event {
	if to.API == Anthropic {
		return anthropicEvents(to, r)
	}
	return chatEvents(to, r)
}

// upTo gives the events up to the n-th token; with 0 all that comes before the first.
func upTo(events []event, n int) []event {
	for i, e := range events {
		if !e.token {
			continue
		}
		if n--; n < 0 {
			return events[:i]
		}
	}
	return beforeEnd(events)
}

// beforeEnd leaves out what follows the last token.
func beforeEnd(events []event) []event {
	for i := len(events); i > 0; i-- {
		if events[i-1].token {
			return events[:i]
		}
	}
	return nil
}
