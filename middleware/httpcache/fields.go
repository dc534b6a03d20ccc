package httpcache

import (
	"iter"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// fields is a header as an entry keeps it: a line after the other, those of one
// name together. That is one allocation where a map is several, and the responses
// made of it share no slice that somebody could edit.
type fields []fieldLine

type fieldLine struct{ name, value string }

// first gives the first line of a name.
func (f fields) first(name string) (value string, found bool) {
	for i := range f {
		if f[i].name == name {
			return f[i].value, true
		}
	}
	return "", false
}

// lines gives all lines of a name, nil for none.
func (f fields) lines(name string) (values []string) {
	for i := range f {
		if f[i].name == name {
			values = append(values, f[i].value)
		}
	}
	return values
}

// date reads the first line of a name as a date.
func (f fields) date(name string, now time.Time) (t time.Time, valid bool) {
	v, found := f.first(name)
	if !found {
		return time.Time{}, false
	}
	return parseDate(v, now)
}

// each gives every name with its lines.
func (f fields) each() iter.Seq2[string, fields] {
	return func(yield func(string, fields) bool) {
		for from, to := 0, 0; from < len(f); from = to {
			for to = from + 1; to < len(f) && f[to].name == f[from].name; to++ {
			}
			if !yield(f[from].name, f[from:to]) {
				return
			}
		}
	}
}

// header makes a header that is the receiver's to edit, with space for more
// names. The values lie in room, if they fit.
func (f fields) header(room []string, more int) http.Header {
	if room = room[:0]; cap(room) < len(f) {
		room = make([]string, 0, len(f))
	}
	h := make(http.Header, len(f)+more)
	for name, lines := range f.each() {
		from := len(room)
		for i := range lines {
			room = append(room, lines[i].value)
		}
		h[name] = room[from:len(room):len(room)] // who adds a line gets a slice of its own
	}
	return h
}

// endToEnd copies a header without what must not be stored. A Date is added
// where there is none, because the answer will be read later than it came
// (RFC 9110, section 6.6.1).
func endToEnd(h http.Header, received time.Time) fields {
	n := 1
	for _, values := range h {
		n += len(values)
	}
	named := namedInConnection(h["Connection"])
	out := make(fields, 0, n)
	for name, values := range h {
		if slices.Contains(hopByHop[:], name) || slices.Contains(named, name) {
			continue
		}
		for _, v := range values {
			out = append(out, fieldLine{name, v})
		}
	}
	if len(h["Date"]) == 0 || slices.Contains(named, "Date") {
		out = append(out, fieldLine{"Date", received.UTC().Format(http.TimeFormat)})
	}
	return out
}

// namedInConnection gives the names of the fields that are about a connection, as its lines have it.
func namedInConnection(lines []string) (names []string) {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t")))
		}
	}
	return names
}

// hopByHop are the fields that are about a connection and not about the answer
// (RFC 9110, section 7.6.1; RFC 9111, section 3.1), and Age, which is computed.
var hopByHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade", "Age",
}

// updated is the header after a 304 with the fields of fresh, but for those that
// describe the stored bytes, which the 304 did not carry (RFC 9111, section 3.2).
// Copying its Content-Length would break the framing.
func (f fields) updated(fresh fields) fields {
	out := make(fields, 0, len(f)+len(fresh))
	for _, line := range f {
		if _, found := fresh.first(line.name); !found || describesBytes(line.name) {
			out = append(out, line)
		}
	}
	for _, line := range fresh {
		if !describesBytes(line.name) {
			out = append(out, line)
		}
	}
	return out
}

func describesBytes(name string) bool {
	switch name {
	case "Content-Length", "Content-Encoding", "Content-Type", "Content-Range":
		return true
	}
	return false
}

// size is about how many bytes of memory the header takes.
func (f fields) size() (n int64) {
	for i := range f {
		n += int64(len(f[i].name)+len(f[i].value)) + 48
	}
	return n
}
