package llm

import "bytes"

// template is an event with content, and where in it values stand that change
// nothing of what it means: texts and numbers that are not looked at, the text of
// the content, and counts of tokens. The events of a stream mostly differ in
// those alone: then comparing what stands between them is all that has to be
// done, at a fraction of the cost of reading the JSON.
type template struct {
	event []byte
	slots []slot
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

// fits tells how long the event at the beginning of p is, 0 if it is not such a
// one with other values, and notes the tokens that it tells.
func (t *template) fits(p []byte, f *facts) int {
	if len(t.event) == 0 {
		return 0
	}
	var values [maxSlots][]byte
	rest, at := p, 0
	for i := range t.slots {
		s := &t.slots[i]
		same := t.event[at:s.from]
		if at = s.to; !bytes.HasPrefix(rest, same) {
			return 0
		}
		rest = rest[len(same):]
		n := s.length(rest)
		if n <= 0 {
			return 0
		}
		values[i], rest = rest[:n], rest[n:]
	}
	if !bytes.HasPrefix(rest, t.event[at:]) {
		return 0
	}
	for i := range t.slots {
		if s := &t.slots[i]; s.number && s.role != roleNone {
			f.number(s.role, values[i])
		}
	}
	return len(p) - len(rest) + len(t.event) - at
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

// lengthOfString is that of a string up to its quotation mark, below 0 if that
// does not come in this line.
func lengthOfString(p []byte) int {
	end := bytes.IndexByte(p, '"')
	if end < 0 {
		return end
	}
	if bytes.IndexByte(p[:end], '\\') >= 0 {
		end = endOfEscaped(p)
	}
	if end > 0 && (bytes.IndexByte(p[:end], '\n') >= 0 || bytes.IndexByte(p[:end], '\r') >= 0) {
		return -1
	}
	return end
}

func endOfEscaped(p []byte) int {
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

// learn takes an event, with the values in its data that may differ. The data
// has to be its last line.
func (t *template) learn(event []byte, slots []slot) {
	line := bytes.LastIndexAny(bytes.TrimRight(event, "\r\n"), "\r\n") + 1
	data, ok := bytes.CutPrefix(event[line:], []byte("data:"))
	if !ok || len(event) > maxTemplate {
		return
	}
	from := len(event) - len(bytes.TrimPrefix(data, []byte(" ")))
	t.event = append(t.event[:0], event...)
	t.slots = append(t.slots[:0], slots...)
	for i := range t.slots {
		t.slots[i].from += from
		t.slots[i].to += from
	}
}
