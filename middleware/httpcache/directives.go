package httpcache

import (
	"strings"
	"time"
)

// flag is a set of directives that have no argument, or whose argument does not matter here.
type flag uint16

const (
	noStore flag = 1 << iota
	noCache
	private
	public
	mustRevalidate
	proxyRevalidate
	mustUnderstand
	onlyIfCached
	anyStale // max-stale without an argument
	targeted // they come from a targeted field (RFC 9213), which Expires does not count beside
)

// maxDelta is what larger delta-seconds count as (RFC 9111, section 1.2.2).
const maxDelta = 1 << 31

// delta is a directive's delta-seconds, if it is there.
type delta struct {
	seconds uint32 // at most maxDelta
	set     bool
}

func (d delta) duration() time.Duration { return time.Duration(d.seconds) * time.Second }

// directives is a parsed Cache-Control, of a request or a response. What is not
// valid is read in the way that reuses less: a broken max-age is 0, a broken
// no-store is a no-store.
type directives struct {
	flags                                                             flag
	maxAge, sMaxAge, minFresh, maxStale, whileRevalidating, ifErrored delta
}

func (d directives) has(f flag) bool { return d.flags&f != 0 }

// parseDirectives reads the lines of a Cache-Control field (RFC 9111, section
// 5.2). The qualified forms of no-cache and private count as the unqualified
// ones, which the RFC allows. Of a duplicate the first counts (section 4.2.1).
func parseDirectives(lines []string) (d directives) {
	for _, line := range lines {
		for rest := line; rest != ""; {
			var m member
			m, rest = nextMember(rest)
			if m.name != "" {
				d.apply(m)
			}
		}
	}
	return d
}

func (d *directives) apply(m member) {
	switch strings.ToLower(m.name) {
	case "no-store":
		d.flags |= noStore
	case "no-cache":
		d.flags |= noCache
	case "private":
		d.flags |= private
	case "must-revalidate":
		d.flags |= mustRevalidate
	case "proxy-revalidate":
		d.flags |= proxyRevalidate
	case "only-if-cached":
		d.flags |= onlyIfCached
	case "public":
		if m.valid {
			d.flags |= public
		}
	case "must-understand":
		if m.valid {
			d.flags |= mustUnderstand
		}
	case "max-age":
		d.maxAge.first(m.seconds())
	case "s-maxage":
		d.sMaxAge.first(m.seconds())
	case "min-fresh":
		if n, ok := m.seconds(); ok {
			d.minFresh.first(n, true)
		}
	case "max-stale":
		if m.valid && !m.hasValue {
			d.flags |= anyStale
		} else if n, ok := m.seconds(); ok {
			d.maxStale.first(n, true)
		}
	case "stale-while-revalidate":
		d.whileRevalidating.first(m.seconds())
	case "stale-if-error":
		d.ifErrored.first(m.seconds())
	}
}

// first sets d unless an earlier directive did. What is no number counts as 0.
func (d *delta) first(n int64, ok bool) {
	if d.set {
		return
	}
	if !ok {
		n = 0
	}
	*d = delta{uint32(n), true}
}

// member is one member of a list of directives.
type member struct {
	name, value string
	hasValue    bool
	valid       bool // nothing about it is against the grammar
}

func (m member) seconds() (int64, bool) {
	if !m.valid || !m.hasValue {
		return 0, false
	}
	return parseDelta(m.value)
}

// parseDelta reads delta-seconds: digits, nothing else.
func parseDelta(s string) (int64, bool) {
	if s == "" {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), maxDelta)
	}
	return n, true
}

// nextMember cuts the first member off a list; its name is empty if the member is.
func nextMember(s string) (m member, rest string) {
	s = strings.TrimLeft(s, " \t,")
	i := tokenEnd(s)
	m.name, s = s[:i], s[i:]
	m.valid = i > 0
	if strings.HasPrefix(s, "=") {
		m.hasValue = true
		s = s[1:]
		if strings.HasPrefix(s, `"`) {
			var ok bool
			m.value, s, ok = quoted(s)
			m.valid = m.valid && ok
		} else {
			n := tokenEnd(s)
			m.value, s = s[:n], s[n:]
			m.valid = m.valid && n > 0
		}
	}
	garbage, rest := toComma(s)
	m.valid = m.valid && strings.Trim(garbage, " \t") == ""
	return m, rest
}

// quoted reads the quoted-string that s begins with.
func quoted(s string) (value, rest string, ok bool) {
	var escaped []byte // only if there is an escape
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			if escaped != nil {
				return string(escaped), s[i+1:], true
			}
			return s[1:i], s[i+1:], true
		case '\\':
			if escaped == nil {
				escaped = append(make([]byte, 0, len(s)), s[1:i]...)
			}
			if i++; i < len(s) {
				escaped = append(escaped, s[i])
			}
		default:
			if escaped != nil {
				escaped = append(escaped, s[i])
			}
		}
	}
	return "", "", false
}

// toComma skips to the next comma that is not quoted.
func toComma(s string) (skipped, rest string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case ',':
			return s[:i], s[i+1:]
		case '"':
			_, after, ok := quoted(s[i:])
			if !ok {
				return s, ""
			}
			i = len(s) - len(after) - 1
		}
	}
	return s, ""
}

// tokenEnd is the length of the token that s begins with (RFC 9110, section 5.6.2).
func tokenEnd(s string) int {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return i
		}
	}
	return len(s)
}
