package httpcache

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/dunglas/httpsfv"
)

// directivesOf gives the directives that a response is stored and used by: those
// of the first targeted field that the cache is a target of and that is valid and
// not empty (RFC 9213, section 2.2), whose name is field, else those of
// Cache-Control, and field is empty.
func (p policy) directivesOf(h http.Header) (cc directives, field string) {
	for _, name := range p.targeted {
		if cc, ok := parseTargeted(h[name]); ok {
			return cc, name
		}
	}
	return parseDirectives(h["Cache-Control"]), ""
}

// directivesIn reads the directives again of the field that directivesOf found.
func directivesIn(f fields, field string) directives {
	if field != "" {
		if cc, ok := parseTargeted(f.lines(field)); ok {
			return cc
		}
	}
	return parseDirectives(f.lines("Cache-Control"))
}

// structured parses a Structured Field. httpsfv v1.1.0 panics where a field ends
// with the "@" of a Date; that is a field that is not valid, like any other.
func structured[T any](parse func([]string) (T, error), lines []string) (field T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("httpcache: not a Structured Field")
		}
	}()
	return parse(lines)
}

// parseTargeted reads a targeted field, which is a Dictionary (RFC 9651): its keys
// are the directives. Parameters say nothing, and a value that is not of the
// directive's type counts as one that is no number.
func parseTargeted(lines []string) (cc directives, ok bool) {
	if len(lines) == 0 {
		return cc, false
	}
	dictionary, err := structured(httpsfv.UnmarshalDictionary, lines)
	if err != nil || len(dictionary.Names()) == 0 {
		return cc, false
	}
	for _, name := range dictionary.Names() {
		m := member{name: name}
		value, _ := dictionary.Get(name)
		item, bare := value.(httpsfv.Item)
		if !bare {
			m.hasValue = true
			cc.apply(m)
			continue
		}
		switch v := item.Value.(type) {
		case bool:
			if !v { // it is said not to be there
				continue
			}
			m.valid = true
		case int64:
			m.value, m.hasValue, m.valid = strconv.FormatInt(v, 10), true, true
		default:
			m.hasValue = true
		}
		cc.apply(m)
	}
	cc.flags |= targeted
	return cc, true
}
