package conf

import (
	"fmt"
	"strings"
)

// Expand puts the environment into the scalars of a tree and returns the
// result; keys are left alone. lookup is os.LookupEnv or a map in a test.
//
//	${env:NAME}             the value; an error if it is unset or empty
//	${env:NAME:-default}    the default if it is unset or empty; the default may be empty and holds no }
//	$${                     a plain ${
//
// References may stand anywhere in a text, several of them, in quotes or not.
// Values are not expanded again and not read as YAML. A text without quotes
// that is one reference and nothing else takes its type from the value, so
// that `max: ${env:MAX}` can be an integer; an empty default makes it null, a
// value "null" stays a text.
//
// The errors name the variable and never show its value. Where there is one
// the text stays as it was written, and Decode keeps the default, so that one
// mistake is told once.
func Expand(n *Node, lookup func(name string) (string, bool)) (*Node, []error) {
	e := expander{lookup: lookup}
	return e.node(n), e.errs
}

type expander struct {
	lookup func(string) (string, bool)
	errs   []error
	added  int // bytes that came from the environment
}

func (e *expander) node(n *Node) *Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == Map && len(n.Entries) > 0:
		out := *n
		out.Entries = make([]Entry, len(n.Entries))
		for i, entry := range n.Entries {
			out.Entries[i] = Entry{entry.Key, e.node(entry.Value)}
		}
		return &out
	case n.Kind == List && len(n.Items) > 0:
		out := *n
		out.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			out.Items[i] = e.node(item)
		}
		return &out
	case n.Kind == String && n.Source == "" && strings.Contains(n.Text, "${"):
		return e.scalar(n)
	}
	return n
}

func (e *expander) scalar(n *Node) *Node {
	out := *n
	text, whole, message := e.text(n.Text)
	if message != "" {
		e.errs = append(e.errs, n.Errorf("%s", message))
		out.reported = true
		return &out
	}
	out.Text, out.Source = text, n.Text
	if whole && !n.Quoted {
		out.Kind = resolve(text)
		if out.Kind == Null && text != "" {
			out.Kind = String
		}
	}
	return &out
}

// text expands a text. whole tells that it was one reference and nothing else,
// message why it can't be expanded.
func (e *expander) text(s string) (expanded string, whole bool, message string) {
	var b strings.Builder
	for rest := s; ; {
		i := strings.Index(rest, "${")
		if i < 0 {
			b.WriteString(rest)
			return b.String(), whole, ""
		}
		if i > 0 && rest[i-1] == '$' {
			b.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		b.WriteString(rest[:i])
		reference, after, closed := strings.Cut(rest[i+2:], "}")
		if !closed {
			return "", false, "a ${ without its }; write $${ for a plain ${"
		}
		value, message := e.value(reference)
		if message != "" {
			return "", false, message
		}
		if e.added += len(value); e.added > maxExpanded {
			return "", false, fmt.Sprintf("the environment adds more than %d bytes to the configuration", maxExpanded)
		}
		whole = rest[:i] == "" && after == "" && len(rest) == len(s)
		b.WriteString(value)
		rest = after
	}
}

// value returns what stands for the inside of a ${}.
func (e *expander) value(reference string) (value, message string) {
	spec, isEnv := strings.CutPrefix(reference, "env:")
	if !isEnv {
		return "", fmt.Sprintf("unknown reference ${%s}; write ${env:NAME}, or $${ for a plain ${", abbreviate(reference, quoted))
	}
	name, fallback, hasFallback := strings.Cut(spec, ":-")
	switch {
	case !validName(name):
		return "", fmt.Sprintf("${env:%s} does not name an environment variable; letters, digits and _ do", abbreviate(name, quoted))
	case strings.Contains(fallback, "${"):
		return "", fmt.Sprintf("the default of ${env:%s} holds a ${; references can't be nested", name)
	}
	value, isSet := e.lookup(name)
	switch {
	case value != "":
		return value, ""
	case hasFallback:
		return fallback, ""
	case isSet:
		return "", fmt.Sprintf("the environment variable %s is empty; set it, or write ${env:%s:-default}", name, name)
	}
	return "", fmt.Sprintf("the environment variable %s is not set; set it, or write ${env:%s:-default}", name, name)
}

func validName(name string) bool {
	for i, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return name != "" && len(name) <= 256
}

// wholeReference tells that the text of n was one reference and nothing else.
func wholeReference(n *Node) bool {
	return strings.HasPrefix(n.Source, "${env:") && strings.IndexByte(n.Source, '}') == len(n.Source)-1
}
