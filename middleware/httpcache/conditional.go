package httpcache

import (
	"net/http"
	"strings"
	"time"
)

// notModified tells whether a request's own conditions are met by a stored
// answer, so that a 304 will do (RFC 9110, section 13.2.2).
func notModified(request http.Header, e *entry, now time.Time) bool {
	if lines := request["If-None-Match"]; len(lines) > 0 {
		return noneMatchFails(lines, e.etag())
	}
	since, present, valid := headerDate(request, "If-Modified-Since", now)
	if !present || !valid {
		return false
	}
	return !e.modified(now).After(since)
}

// modified is when the answer was last modified, as far as it says: else when it
// was made, or came (RFC 9111, section 4.3.2).
func (e *entry) modified(now time.Time) time.Time {
	for _, name := range [...]string{"Last-Modified", "Date"} {
		if t, valid := e.header.date(name, now); valid {
			return t
		}
	}
	return e.received
}

// noneMatchFails tells whether one of the entity tags listed is etag, by weak comparison.
func noneMatchFails(lines []string, etag string) bool {
	for _, line := range lines {
		for rest := line; ; {
			rest = strings.TrimLeft(rest, " \t,")
			if rest == "" {
				break
			}
			if rest[0] == '*' {
				return true
			}
			tag, after, ok := nextETag(rest)
			if !ok {
				break
			}
			if etag != "" && opaque(tag) == opaque(etag) {
				return true
			}
			rest = after
		}
	}
	return false
}

// nextETag cuts the entity tag off that s begins with. Within the quotes there are no escapes.
func nextETag(s string) (tag, rest string, ok bool) {
	start := 0
	if strings.HasPrefix(s, "W/") {
		start = 2
	}
	if !strings.HasPrefix(s[start:], `"`) {
		return "", "", false
	}
	end := strings.IndexByte(s[start+1:], '"')
	if end < 0 {
		return "", "", false
	}
	end += start + 2
	return s[:end], s[end:], true
}

func opaque(tag string) string { return strings.TrimPrefix(tag, "W/") }

// strong tells whether an entity tag stands for one sequence of bytes (RFC 9110, section 8.8.1).
func strong(tag string) bool { return strings.HasPrefix(tag, `"`) }
