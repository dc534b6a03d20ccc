package httpcache

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyContent is what stands for a content in its key: the content itself, or,
// with canonical_json, the same for every way to write the same JSON. What has
// no canonical form, because it is no JSON or not all parsers would read it alike,
// stands for itself.
func (r *Route) keyContent(content []byte) []byte {
	if r == nil || !r.CanonicalJSON {
		return content
	}
	if form, ok := canonicalJSON(content, r.IgnoreFields); ok {
		return append([]byte("canonical\x00"), form...)
	}
	return append([]byte("exact\x00"), content...)
}

// canonicalJSON writes a JSON text without whitespace, strings in one way, and
// the members of objects in order. Numbers are kept as they are written: 1, 1.0
// and 1e0 may mean different things upstream. Members whose path, names between
// dots, is one of those to ignore are left out. It fails for duplicate names,
// invalid UTF-8, half surrogate pairs, and for what is no JSON.
func canonicalJSON(text []byte, ignore []string) ([]byte, bool) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, false
	}
	c := canonical{in: text, ignore: ignore, out: make([]byte, 0, len(text))}
	c.value("")
	return c.out, !c.bad
}

// canonical walks through a valid JSON text. The depth is bounded by json.Valid.
type canonical struct {
	in     []byte
	at     int
	out    []byte
	ignore []string
	bad    bool
}

func (c *canonical) space() {
	for c.at < len(c.in) && strings.IndexByte(" \t\r\n", c.in[c.at]) >= 0 {
		c.at++
	}
}

// value writes the value that comes next; path is that of the objects around it.
func (c *canonical) value(path string) {
	c.space()
	switch c.in[c.at] {
	case '{':
		c.object(path)
	case '[':
		c.list(']', func() { c.value(path) })
	case '"':
		c.text(c.string())
	default: // a number or a word
		start := c.at
		for c.at < len(c.in) && strings.IndexByte(" \t\r\n,]}", c.in[c.at]) < 0 {
			c.at++
		}
		c.out = append(c.out, c.in[start:c.at]...)
	}
}

// list walks over what is between brackets; each reads one element.
func (c *canonical) list(end byte, each func()) {
	c.out = append(c.out, c.in[c.at])
	c.at++
	for first := true; ; first = false {
		c.space()
		if c.in[c.at] == end {
			break
		}
		if !first {
			c.at++ // the comma
			c.out = append(c.out, ',')
		}
		each()
	}
	c.at++
	c.out = append(c.out, end)
}

// namedForm is a member of an object, with what was written for it.
type namedForm struct {
	name string
	form []byte
}

func (c *canonical) object(path string) {
	var members []namedForm
	start := len(c.out)
	c.list('}', func() {
		c.space()
		name := c.string()
		c.space()
		c.at++ // the colon
		from := len(c.out)
		c.value(path + name + ".")
		members = append(members, namedForm{name, bytes.Clone(c.out[from:])})
	})
	slices.SortFunc(members, func(a, b namedForm) int { return strings.Compare(a.name, b.name) })
	c.out = append(c.out[:start], '{')
	for i, m := range members {
		if i > 0 && members[i-1].name == m.name {
			c.bad = true
		}
		if slices.Contains(c.ignore, path+m.name) {
			continue
		}
		c.text(m.name)
		c.out = append(append(append(c.out, ':'), m.form...), ',')
	}
	c.out = append(bytes.TrimSuffix(c.out, []byte(",")), '}')
}

// string reads a string. One that cannot be told from another after it was read is bad.
func (c *canonical) string() (s string) {
	start := c.at
	for c.at++; c.in[c.at] != '"'; c.at++ {
		if c.in[c.at] == '\\' {
			c.at++
		}
	}
	c.at++
	if json.Unmarshal(c.in[start:c.at], &s) != nil || strings.ContainsRune(s, utf8.RuneError) {
		c.bad = true
	}
	return s
}

func (c *canonical) text(s string) {
	form, err := json.Marshal(s)
	c.bad = c.bad || err != nil
	c.out = append(c.out, form...)
}
