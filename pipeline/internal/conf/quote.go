package conf

import (
	"strconv"
	"strings"
)

// quoted is how many characters of a value a message shows.
const quoted = 40

// quote returns a scalar for a message: as it was written when it came from
// the environment, and shortened.
func quote(n *Node) string {
	text := n.Text
	if n.Source != "" {
		text = n.Source
	}
	if n.Quoted || n.Kind == String {
		return strconv.Quote(abbreviate(text, quoted))
	}
	return abbreviate(text, quoted)
}

// abbreviate cuts a text to a number of characters.
func abbreviate(s string, limit int) string {
	count := 0
	for i := range s {
		if count == limit {
			return strings.ToValidUTF8(s[:i], "") + "…"
		}
		count++
	}
	return s
}
