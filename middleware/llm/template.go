package llm

import "bytes"

// template is an event with content and nothing else, without its text. The
// events of a stream mostly differ in that alone: then comparing what stands
// before and after it is all that has to be done, at a fifth of the cost of
// reading the JSON.
type template struct {
	kind, before, after []byte
}

// maxTemplate bounds what is kept.
const maxTemplate = 2048

// fits tells whether data is such an event with another text.
func (t *template) fits(kind, data []byte) bool {
	if len(t.before) == 0 || len(data) <= len(t.before)+len(t.after) || !bytes.HasPrefix(data, t.before) ||
		!bytes.HasSuffix(data, t.after) || !bytes.Equal(kind, t.kind) {
		return false
	}
	text := data[len(t.before) : len(data)-len(t.after)]
	// The text ends where the template does only if nothing in it ends or escapes.
	return bytes.IndexByte(text, '"') < 0 && bytes.IndexByte(text, '\\') < 0
}

// learn takes an event whose text is between two places.
func (t *template) learn(kind, data []byte, from, to int) {
	if from <= 0 || to <= from || len(data)-(to-from) > maxTemplate {
		return
	}
	t.kind = append(t.kind[:0], kind...)
	t.before = append(t.before[:0], data[:from]...)
	t.after = append(t.after[:0], data[to:]...)
}
