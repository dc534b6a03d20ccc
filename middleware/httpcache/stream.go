package httpcache

import (
	"bytes"
	"net/http"
	"strings"
)

// CompleteFunc tells whether an answer that came to a clean end is all that it
// should be. It sees the status, the header as it would be stored, and the whole
// body, and must neither keep nor change them. It runs while callers wait for
// the end of the body.
type CompleteFunc func(status int, header http.Header, body []byte) bool

// StreamComplete is the default CompleteFunc of RFC mode. It wants an event stream
// (text/event-stream) to end with a terminal event, because a connection that
// was closed too early looks like a clean end too: "data: [DONE]", or an event
// that is, by its name or by the type in its data, message_stop or
// response.completed. Every other answer is complete when it has ended.
func StreamComplete(_ int, header http.Header, body []byte) bool {
	return streamComplete(mediaType(header), body)
}

func streamComplete(media string, body []byte) bool {
	if !strings.EqualFold(media, eventStream) {
		return true
	}
	name, data, dispatched := lastEvent(body)
	if data == "[DONE]" {
		return true
	}
	for _, terminal := range [...]string{"message_stop", "response.completed"} {
		if dispatched && (name == terminal || name == "" && hasType(data, terminal)) {
			return true
		}
	}
	return false
}

// hasType looks for the type of an event in its JSON, without parsing it: within a
// JSON string the quotes would be escaped.
func hasType(data, name string) bool {
	return strings.Contains(data, `"type":"`+name+`"`) || strings.Contains(data, `"type": "`+name+`"`)
}

// lastEvent gives the last event of a stream that has a name or data, and
// whether the empty line is there that ends it: an event without was cut off.
func lastEvent(stream []byte) (name, data string, dispatched bool) {
	if bytes.IndexByte(stream, '\r') >= 0 {
		stream = bytes.ReplaceAll(bytes.ReplaceAll(stream, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	rest := bytes.TrimRight(stream, "\n")
	dispatched = len(stream)-len(rest) >= 2
	for len(rest) > 0 && name == "" && data == "" {
		event := rest
		rest = nil
		if i := bytes.LastIndex(event, []byte("\n\n")); i >= 0 {
			event, rest = event[i+2:], bytes.TrimRight(event[:i], "\n")
		}
		for line := range bytes.Lines(event) {
			field, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(":"))
			switch value = bytes.TrimPrefix(value, []byte(" ")); string(field) {
			case "event":
				name = string(value)
			case "data":
				data += string(value)
			}
		}
	}
	return name, data, dispatched
}
