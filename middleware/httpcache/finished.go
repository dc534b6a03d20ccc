package httpcache

import (
	"bytes"
	"net/http"
	"strings"
)

// ContentComplete is the default CompleteFunc for body-keyed answers: that of
// StreamComplete, and the answer of a language model must not have ended because
// it was too long or was filtered: it would be served for ever as if it were whole.
// It looks into event streams and JSON for
//
//   - finish_reason length and content_filter (Chat Completions);
//   - stop_reason max_tokens, model_context_window_exceeded and refusal (Messages);
//   - status incomplete and failed of an object "response" (Responses);
//   - finishReason MAX_TOKENS, SAFETY and other blocks (Gemini).
func ContentComplete(_ int, header http.Header, body []byte) bool {
	return contentComplete(mediaType(header), body)
}

func contentComplete(media string, body []byte) bool {
	if !streamComplete(media, body) {
		return false
	}
	media = strings.ToLower(media)
	if media != eventStream && media != "application/json" && !strings.HasSuffix(media, "+json") {
		return true
	}
	for _, end := range badEnds() {
		if hasMember(body, end.name, end.values) {
			return false
		}
	}
	// A status is a common thing: only that of an object "response" is one of these.
	return !hasMember(body, `"object"`, []string{"response"}) || !hasMember(body, `"status"`, []string{"incomplete", "failed"})
}

const eventStream = "text/event-stream"

// badEnd is a member that says how an answer ended, and what it must not be.
type badEnd struct {
	name   string
	values []string
}

func badEnds() []badEnd {
	return []badEnd{
		{`"finish_reason"`, []string{"length", "content_filter"}},
		{`"stop_reason"`, []string{"max_tokens", "model_context_window_exceeded", "refusal"}},
		{`"finishReason"`, []string{"MAX_TOKENS", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}},
	}
}

// hasMember looks for a member of JSON with one of the values, without parsing:
// within a string the quotes would be escaped.
func hasMember(body []byte, name string, values []string) bool {
	for {
		i := bytes.Index(body, []byte(name))
		if i < 0 {
			return false
		}
		body = body[i+len(name):]
		rest, colon := bytes.CutPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte(":"))
		rest, quote := bytes.CutPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(`"`))
		if !colon || !quote {
			continue
		}
		for _, v := range values {
			if after, found := bytes.CutPrefix(rest, []byte(v)); found && bytes.HasPrefix(after, []byte(`"`)) {
				return true
			}
		}
	}
}
