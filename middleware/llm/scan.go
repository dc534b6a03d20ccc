package llm

import "bytes"

// scanner reads a JSON document as it comes, in pieces of any size, and notes
// the facts at the paths that it is given. It keeps nothing else, takes any
// bytes without an error, and allocates nothing once its buffers have grown to
// their bounds.
type scanner struct {
	paths *paths
	facts facts

	state  scanState
	escape bool // the next byte of the string is escaped
	empty  bool // the string has no byte so far
	node   uint8
	raw    []byte // of a key or a word that goes on in the next piece
	long   bool   // raw is not all of it

	at    int            // where in the piece the string or word begins
	slots [maxSlots]slot // where values stand that change nothing of what the document means, if it is in one piece
	found int            // of them

	depth  int             // open objects and arrays
	nodes  [maxDepth]uint8 // what they are, as far as there is room: nothing deeper is looked at
	arrays uint64          // which of them are arrays
}

type scanState uint8

const (
	beforeValue scanState = iota
	beforeKey
	afterValue
	inKey
	inString
	inWord // a number, true, false or null
)

const (
	maxDepth = 64
	maxRaw   = 64 // longer than any key or word of interest
)

// reset begins a new document.
func (s *scanner) reset() {
	s.facts.reset()
	s.state, s.escape, s.node, s.depth = beforeValue, false, root, 0
	s.raw, s.long, s.found = s.raw[:0], false, 0
}

// complete tells whether the document is not cut: all that was opened is closed.
func (s *scanner) complete() bool {
	return s.depth == 0 && s.state != inString && s.state != inKey
}

// end says that no more comes of the document.
func (s *scanner) end() {
	if s.state == inWord {
		s.endWord(nil)
	}
}

func (s *scanner) feed(p []byte) {
	for i := 0; i < len(p); {
		switch s.state {
		case inKey:
			i += s.feedString(p[i:])
		case inString:
			if i += s.feedString(p[i:]); s.state == afterValue {
				s.note(p, i-1, false)
			}
		case inWord:
			if i += s.feedWord(p[i:]); s.state == afterValue {
				s.note(p, i, true)
			}
		default:
			if s.open(p[i]) {
				i++
			}
			s.at = i
		}
	}
}

// open looks at a byte between strings and words. It is false if a word begins with it.
func (s *scanner) open(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n':
		return true
	case '"':
		s.empty = true
		if s.state == beforeKey {
			s.state = inKey
		} else {
			s.state = inString
		}
	case ':':
		s.state = beforeValue
	case ',':
		if s.state = beforeValue; s.depth > 0 && !s.inArray() {
			s.state = beforeKey
		} else {
			s.node = s.container()
		}
	case '{', '[':
		s.push(c == '[')
	case '}', ']':
		if s.depth > 0 {
			s.depth--
		}
		s.state = afterValue
	default:
		s.element()
		s.state = inWord
		return false
	}
	return true
}

func (s *scanner) inArray() bool { return s.depth <= maxDepth && s.arrays>>(s.depth-1)&1 == 1 }

// container is the node of the object or array that is open.
func (s *scanner) container() uint8 {
	switch {
	case s.depth == 0:
		return root
	case s.depth > maxDepth:
		return nowhere
	}
	return s.nodes[s.depth-1]
}

// element notes that the array around a value is not empty.
func (s *scanner) element() {
	if s.depth > 0 && s.inArray() {
		s.filled(s.container())
	}
}

// filled notes that an object or an array is not empty. One that has content in
// it is none itself.
func (s *scanner) filled(at uint8) {
	if n := &s.paths.nodes[at]; n.role != roleContent || len(n.children) == 0 {
		s.facts.there(n.role)
	}
}

func (s *scanner) push(array bool) {
	if s.element(); s.depth < maxDepth {
		s.nodes[s.depth] = s.node
		s.arrays &^= 1 << s.depth
		if array {
			s.arrays |= 1 << s.depth
		}
	}
	s.depth++
	s.state = beforeKey
	if array {
		s.state = beforeValue
		s.node = s.container()
	}
}

// note keeps where the string or word stands that ends at to, if another one in
// its place would mean the same.
func (s *scanner) note(p []byte, to int, word bool) {
	if to < s.at || s.found == len(s.slots) || word && lengthOfNumber(p[s.at:to]) != to-s.at {
		return
	}
	switch r := s.paths.nodes[s.node].role; {
	case s.node == nowhere, r == roleContent && !word && to > s.at, word && r >= roleInput && r <= roleCacheWrite:
		s.slots[s.found] = slot{from: s.at, to: to, role: r, number: word}
		s.found++
	}
}

// feedString reads on in a key or a string and tells how many bytes that took.
func (s *scanner) feedString(p []byte) int {
	if s.escape {
		s.escape = false
		s.gather(p[:1])
		return 1
	}
	end := bytes.IndexByte(p, '"')
	if end < 0 || end > 0 && p[end-1] == '\\' { // the quotation mark may be escaped
		rest := p
		if end >= 0 {
			rest = p[:end]
		}
		esc := bytes.IndexByte(rest, '\\')
		if esc < 0 {
			s.gather(p)
			return len(p)
		}
		s.gather(p[:esc+1])
		s.escape = true
		return esc + 1
	}
	if s.state == inKey {
		s.endKey(p[:end])
	} else {
		s.gather(p[:end])
		s.state = afterValue
	}
	return end + 1
}

// gather takes a part of a key or a string.
func (s *scanner) gather(p []byte) {
	if s.state == inKey {
		s.keep(p)
		return
	}
	if len(p) == 0 || s.node == nowhere {
		return
	}
	r := s.paths.nodes[s.node].role
	if s.empty {
		s.empty = false
		s.facts.there(r)
	}
	switch {
	case r >= firstText:
		s.facts.write(r, p)
	case r == roleError: // {"error": "text"}
		s.facts.write(roleMessage, p)
	}
}

func (s *scanner) keep(p []byte) {
	if len(s.raw)+len(p) > maxRaw {
		s.long = true
		return
	}
	s.raw = append(s.raw, p...)
}

func (s *scanner) endKey(rest []byte) {
	above := s.container()
	key := rest
	if len(s.raw) > 0 || s.long {
		s.keep(rest)
		key = s.raw
	}
	s.node = nowhere
	if above != nowhere {
		if s.paths.nodes[above].role != roleNone {
			s.filled(above)
		}
		if !s.long {
			s.node = s.paths.lookup(above, key)
		}
		if above == root && s.node != nowhere {
			s.facts.known = true
		}
	}
	s.raw, s.long = s.raw[:0], false
	s.state = afterValue
}

// feedWord reads on in a number or a literal and tells how many bytes that took.
func (s *scanner) feedWord(p []byte) int {
	for i, c := range p {
		switch c {
		case ',', '}', ']', ':', '"', '{', '[', ' ', '\t', '\r', '\n':
			s.endWord(p[:i])
			return i
		}
	}
	if s.node != nowhere {
		s.keep(p)
	}
	return len(p)
}

func (s *scanner) endWord(rest []byte) {
	s.state = afterValue
	if s.node == nowhere {
		return
	}
	word := rest
	if len(s.raw) > 0 || len(rest) > maxRaw {
		s.keep(rest)
		word = s.raw
	}
	if !s.long && string(word) != "null" && string(word) != "false" {
		r := s.paths.nodes[s.node].role
		switch {
		case r == roleErrorCode || r == roleStream:
			s.facts.write(r, word)
		case r == roleError || r == roleAnswer:
			s.facts.there(r)
		default:
			s.facts.number(r, word)
		}
	}
	s.raw, s.long = s.raw[:0], false
}
