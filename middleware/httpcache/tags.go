package httpcache

import (
	"net/http"
	"slices"
	"strings"
)

// maxTags and maxTagBytes bound what is kept of the tags of one answer, most of
// all of those that an upstream sends. What is more is left out, and the answer
// is not stored, because it could not be purged by them.
const (
	maxTags     = 64
	maxTagBytes = 256
)

// usableTags tells whether tags can be kept. One that begins like a tag of the cache's own cannot.
func usableTags(tags []string) bool {
	return len(tags) <= maxTags && !slices.ContainsFunc(tags, func(t string) bool {
		return t == "" || len(t) > maxTagBytes || t[0] == 0
	})
}

// answerTags are those that an answer names in a field, as a list of members
// between commas or blanks, and those of the call, each once.
func answerTags(h http.Header, field string, own []string) []string {
	if field == "" || len(h[field]) == 0 {
		return own
	}
	tags := slices.Clone(own)
	for _, line := range h[field] {
		tags = append(tags, strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
