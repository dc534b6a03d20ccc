package llm

import "bytes"

// template is an event with content, and where in it values stand that change
// nothing of what it means: texts and numbers that are not looked at, the text of
// the content, and counts of tokens. The events of a stream mostly differ in
// those alone: then comparing what stands between them is all that has to be
// done, at a fraction of the cost of reading the JSON.
type template struct {
	kind, data []byte
	slots      []slot
}

// slot is where a value stands in of an event, not empty.
type slot struct {
	from, to int
	role     role // roleNone for what is not looked at
	number   bool // else a string, without its quotation marks
}

const (
	// maxTemplate bounds the events that are kept as one.
	maxTemplate = 2048
	// maxSlots bounds the values that may differ; those after them may not.
	maxSlots = 16
)

// fits tells whether data is such an event with other values, and notes the
// tokens that it tells.
func (t *template) fits(kind, data []byte, f *facts) bool {
	if len(t.data) == 0 || !bytes.Equal(kind, t.kind) {
		return false
	}
	var tokens [maxSlots][]byte
	at := 0
	for i := range t.slots {
		s := &t.slots[i]
		same := t.data[at:s.from]
		if at = s.to; !bytes.HasPrefix(data, same) {
			return false
		}
		data = data[len(same):]
		n := s.length(data)
		if n <= 0 {
			return false
		}
		tokens[i], data = data[:n], data[n:]
	}
	if !bytes.Equal(data, t.data[at:]) {
		return false
	}
	for i := range t.slots {
		if s := &t.slots[i]; s.number && s.role != roleNone {
			f.number(s.role, tokens[i])
		}
	}
	return true
}

// length is that of the value at the beginning of p, below 1 if there is none.
func (s *slot) length(p []byte) int {
	if s.number {
		return lengthOfNumber(p)
	}
	return lengthOfString(p)
}

func lengthOfNumber(p []byte) int {
	n := 0
	for n < len(p) && n <= maxRaw && isNumber(p[n]) {
		n++
	}
	if n > maxRaw { // longer than what is read of a word
		return -1
	}
	return n
}

// isNumber tells whether numbers are made of such a byte, beside exponents.
func isNumber(c byte) bool { return '0' <= c && c <= '9' || c == '.' || c == '-' }

func lengthOfString(p []byte) int {
	end := bytes.IndexByte(p, '"')
	if end < 0 || bytes.IndexByte(p[:end], '\\') < 0 {
		return end
	}
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// learn takes an event, with the values that may differ.
func (t *template) learn(kind, data []byte, slots []slot) {
	if len(data) > maxTemplate {
		return
	}
	t.kind = append(t.kind[:0], kind...)
	t.data = append(t.data[:0], data...)
	t.slots = append(t.slots[:0], slots...)
}
