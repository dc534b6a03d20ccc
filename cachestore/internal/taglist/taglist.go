// Package taglist writes the tags of an entry as bytes and reads them again. Stores that keep entries in an
// envelope put them into its metadata.
package taglist

import (
	"encoding/binary"
	"slices"
)

// Encode writes tags, each once, as a length (uvarint) and its bytes. No tags are no bytes.
func Encode(tags []string) []byte {
	var out []byte
	for _, tag := range Distinct(tags) {
		out = binary.AppendUvarint(out, uint64(len(tag)))
		out = append(out, tag...)
	}
	return out
}

// Decode reads what Encode wrote; of anything else it gives what can be read of it.
func Decode(data []byte) []string {
	var tags []string
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			break
		}
		tags = append(tags, string(data[n:n+int(size)]))
		data = data[n+int(size):]
	}
	return tags
}

// HasAny tells whether the tags that Encode wrote have one of wanted among them.
func HasAny(data []byte, wanted []string) bool {
	return slices.ContainsFunc(Decode(data), func(tag string) bool { return slices.Contains(wanted, tag) })
}

// Distinct is a sorted copy without duplicates, nil where there are no tags.
func Distinct(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	out := slices.Clone(tags)
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}
