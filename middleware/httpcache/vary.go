package httpcache

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// selecting is a request header field that a response was selected by, with
// the value that the request had. Values are kept, not hashes, because a hash
// that collides would be a wrong answer.
type selecting struct {
	name  string // canonical
	value string // normalized
	found bool   // absent is not the same as empty
}

// selectedBy reads what a response depends on from its Vary lines and the
// request that it answers. ok is false for "*", which no request matches
// (RFC 9111, section 4.1).
func selectedBy(vary []string, request http.Header) (sel []selecting, ok bool) {
	for _, line := range vary {
		for field := range strings.SplitSeq(line, ",") {
			field = strings.Trim(field, " \t")
			switch {
			case field == "":
				continue
			case field == "*":
				return nil, false
			}
			name := textproto.CanonicalMIMEHeaderKey(field)
			if slices.ContainsFunc(sel, func(s selecting) bool { return s.name == name }) {
				continue
			}
			value, found := normalized(request, name)
			sel = append(sel, selecting{name, value, found})
		}
	}
	// The order of the names says nothing.
	slices.SortFunc(sel, func(a, b selecting) int { return strings.Compare(a.name, b.name) })
	return sel, true
}

// matches tells whether a request has the values that the response was selected by.
func matches(sel []selecting, request http.Header) bool {
	for i := range sel {
		value, found := normalized(request, sel[i].name)
		if found != sel[i].found || value != sel[i].value {
			return false
		}
	}
	return true
}

// normalized joins a field's lines and trims the whitespace around its members,
// which is as much as may be done for fields of which nothing is known.
func normalized(h http.Header, name string) (value string, found bool) {
	lines := h[name]
	switch {
	case len(lines) == 0:
		return "", false
	case name == "Accept-Language" || name == "Accept-Encoding": // whose members' case says nothing (RFC 9110, sections 8.4.1 and 8.5.1)
		value, _ = normalized(http.Header{"": lines}, "")
		return strings.ToLower(value), true
	case len(lines) == 1 && !strings.ContainsAny(lines[0], ", \t"):
		return lines[0], true
	}
	members := strings.Split(strings.Join(lines, ","), ",")
	for i := range members {
		members[i] = strings.Trim(members[i], " \t")
	}
	return strings.Join(members, ","), true
}
