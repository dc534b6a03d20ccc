package llm

import (
	"net/http"
	"strings"
)

// label is what a response says that its body is.
type label uint8

const (
	labelNone   label = iota // nothing, or plain text: the first byte tells
	labelEvents              // server-sent events
	labelJSON
	labelOther // something else, or compressed: passed on unread
)

func labelOf(h http.Header) label {
	if coding := first(h, "Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return labelOther
	}
	media, _, _ := strings.Cut(first(h, "Content-Type"), ";")
	media = strings.TrimSpace(media)
	switch {
	case strings.EqualFold(media, "text/event-stream"):
		return labelEvents
	case strings.EqualFold(media, "application/json"), strings.EqualFold(media, "application/problem+json"):
		return labelJSON
	case media == "", strings.EqualFold(media, "text/plain"):
		return labelNone
	}
	return labelOther
}
