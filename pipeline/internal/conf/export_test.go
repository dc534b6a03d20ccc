package conf

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Encode prints a tree as YAML, in block style, so that Parse reads the same
// tree again. What Expand put in is printed as it was written, so that no
// value of the environment appears.
func Encode(n *Node) []byte {
	var b bytes.Buffer
	if n == nil || n.Kind == Map && len(n.Entries) == 0 {
		return []byte("{}\n")
	}
	encode(&b, n, 0)
	return b.Bytes()
}

// encode prints the lines of a map or list that is not empty, each with its
// indent, or the text of anything else.
func encode(b *bytes.Buffer, n *Node, indent int) {
	space := strings.Repeat(" ", indent)
	switch {
	case n.Kind == Map && len(n.Entries) > 0:
		for _, e := range n.Entries {
			b.WriteString(space + scalarText(e.Key, false) + ":")
			encodeBelow(b, e.Value, indent)
		}
	case n.Kind == List && len(n.Items) > 0:
		for _, item := range n.Items {
			b.WriteString(space + "-")
			encodeBelow(b, item, indent)
		}
	case n.Kind == Map:
		b.WriteString("{}")
	case n.Kind == List:
		b.WriteString("[]")
	case n.Kind == Null && n.Source == "":
		b.WriteString("null")
	case n.Source != "":
		b.WriteString(scalarText(n.Source, n.Quoted))
	case n.Kind == String:
		b.WriteString(scalarText(n.Text, n.Quoted))
	default:
		b.WriteString(n.Text)
	}
}

func encodeBelow(b *bytes.Buffer, n *Node, indent int) {
	if len(n.Entries)+len(n.Items) > 0 {
		b.WriteByte('\n')
		encode(b, n, indent+2)
		return
	}
	b.WriteByte(' ')
	encode(b, n, indent)
	b.WriteByte('\n')
}

// scalarText writes a text without quotes if it was, and can be, and otherwise
// in double quotes, in the JSON form, which is YAML as well.
func scalarText(s string, quoted bool) string {
	if !quoted && resolve(s) == String && isPlainText(s) {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// A string can always be encoded, and a bytes.Buffer always written to.
	_ = enc.Encode(s)
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

// isPlainText is narrower than YAML, which needs more care than this.
func isPlainText(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_/$", r)
		if !letter && (i == 0 || !strings.ContainsRune(".+~-{}: @%", r)) {
			return false
		}
	}
	return !strings.Contains(s, ": ") && !strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ")
}
