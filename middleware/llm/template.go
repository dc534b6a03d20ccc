package llm

import "bytes"

// template is an event with content, and where in it values stand that change
// nothing of what it means: texts and numbers that are not looked at, the text of
// the content, and counts of tokens. The events of a stream mostly differ in
// those alone: then comparing what stands between them is all that has to be
// done, at a fraction of the cost of reading the JSON.
type template struct {
	event     []byte
	slots     []slot
	differing []slot // those whose values did differ, or are tokens
}

// slot is where a value stands in an event, not empty unless it is a string that
// is not looked at.
type slot struct {
	from, to int
	role     role // roleNone for what is not looked at
	number   bool // else a string, without its quotation marks
	differs  bool
}

// counts tells whether the value is a count of tokens.
func (s *slot) counts() bool { return s.number && s.role != roleNone }

const (
	// maxTemplate bounds the events that are kept as one.
	maxTemplate = 2048
	// maxSlots bounds the values that may differ; those after them may not.
	maxSlots = 16
)

// values are where values stand in an event that is compared.
type values [maxSlots]struct{ from, to int }

// fits tells how long the event at the beginning of p is, 0 if it is not such a
// one with other values, and notes the tokens that it tells.
func (t *template) fits(p []byte, f *facts) int {
	if len(t.event) == 0 {
		return 0
	}
	var v values
	slots := t.differing
	n := t.compare(p, slots, &v)
	if n == 0 && len(slots) < len(t.slots) { // a value that was the same up to now
		slots = t.slots
		if n = t.compare(p, slots, &v); n > 0 {
			t.widen(p, &v)
		}
	}
	if n == 0 {
		return 0
	}
	for i := range slots {
		if s := &slots[i]; s.counts() {
			f.number(s.role, p[v[i].from:v[i].to])
		}
	}
	return n
}

// compare tells how long the event is if it differs in nothing but the values of
// slots, else 0.
func (t *template) compare(p []byte, slots []slot, v *values) int {
	at, from := 0, 0 // in p, in the event that is known
	for i := range slots {
		s := &slots[i]
		same := t.event[from:s.from]
		if !bytes.HasPrefix(p[at:], same) {
			return 0
		}
		at += len(same)
		n := s.length(p[at:])
		if n < 0 || n == 0 && (s.number || s.role != roleNone) {
			return 0
		}
		v[i].from, v[i].to = at, at+n
		at, from = at+n, s.to
	}
	last := t.event[from:]
	if !bytes.HasPrefix(p[at:], last) {
		return 0
	}
	return at + len(last)
}

// widen notes which values differ in an event, of which v are all.
func (t *template) widen(p []byte, v *values) {
	t.differing = t.differing[:0]
	for i := range t.slots {
		s := &t.slots[i]
		if !bytes.Equal(t.event[s.from:s.to], p[v[i].from:v[i].to]) {
			s.differs = true
		}
		if s.differs {
			t.differing = append(t.differing, *s)
		}
	}
}

// length is that of the value at the beginning of p, 0 or less if there is none.
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
	t.differing = t.differing[:0]
	for i := range t.slots {
		s := &t.slots[i]
		s.from, s.to, s.differs = s.from+from, s.to+from, s.counts()
		if s.differs {
			t.differing = append(t.differing, *s)
		}
	}
}
