package llm

import "bytes"

// events is an answer that is a stream of server-sent events (WHATWG HTML,
// section 9.2). It reads them as they come, in pieces of any size, keeps at most
// the texts of one event that say what it is, and passes them on as they are.
// Comments, and blank lines that end no event, are left out: that is what
// keep-alives are made of.
type events struct {
	reading
	dialect *dialect
	usual   template // of its events with content
	start   int      // where in the piece the event begins, below 0 if not there or if a part of it moved

	at      place
	name    []byte // of the field
	kind    []byte // the event's own field
	head    []byte // the beginning of the event's data
	length  int    // of the data, as far as it matters
	open    bool   // a line of the event has passed
	lines   int    // of data
	known   bool   // an event was of a known API
	strange bool   // or was not
	cr      bool   // the last byte was a CR, to which an LF may belong
	dropped bool   // and was left out
	mark    int    // bytes of a byte order mark seen
}

type place uint8

const (
	lineStart place = iota
	inComment
	inName
	afterColon
	inData
	inKind
	inOther
)

const (
	byteOrderMark = "\xef\xbb\xbf"
	endMarker     = "[DONE]"
	maxName       = 5 // "event", the longest name of interest
	maxKind       = 64
)

func newEvents(d *dialect, strict bool) *events {
	e := &events{dialect: d, name: make([]byte, 0, maxName+1), head: make([]byte, 0, len(endMarker))}
	e.doc.paths, e.strict = d.paths, strict
	e.doc.reset()
	return e
}

func (e *events) read() *reading { return &e.reading }

func (e *events) feed(p []byte) (n int) {
	e.start = -1
	for i := 0; i < len(p) && e.fault == faultless; {
		from, c := i, p[i]
		keep := true
		switch {
		case e.cr:
			e.cr = false
			if c != '\n' {
				continue
			}
			i, keep = i+1, !e.dropped
		case e.mark < len(byteOrderMark) && c == byteOrderMark[e.mark]:
			e.mark++
			i++
		case e.at == lineStart:
			if i += e.asUsual(p[i:]); i > from {
				break
			}
			i, keep = i+e.begin(p, i), e.at != inComment
			if i > from && e.at == lineStart {
				keep = !e.dropped
			}
		default:
			keep = e.at != inComment
			i += e.line(p[i:])
		}
		if keep {
			if n != from {
				e.start = -1
				copy(p[n:], p[from:i])
			}
			n += i - from
		}
	}
	if e.length == maxText && e.doc.facts.content { // an event that is long in coming
		e.progress = true
	}
	return n
}

// asUsual takes an event that is as usual but for its values, if one begins here
// and is there to its end.
func (e *events) asUsual(p []byte) int {
	if e.open {
		return 0
	}
	n := e.usual.fits(p, &e.doc.facts)
	if n > 0 {
		e.deltas++
		e.progress, e.ready = true, true
	}
	return n
}

// begin looks at the first byte of a line, and takes it where it is all of the
// line or begins a comment.
func (e *events) begin(p []byte, i int) int {
	e.mark = len(byteOrderMark)
	switch c := p[i]; c {
	case ':':
		e.at = inComment
		return 1
	case '\n', '\r':
		e.cr, e.dropped = c == '\r', !e.open
		e.dispatch(e.whole(p, i))
		return 1
	}
	if !e.open {
		e.start = i
	}
	e.at, e.open, e.began = inName, true, true
	e.name = e.name[:0]
	return 0
}

// line reads on in a line, to its end if it is there, and tells how many bytes that took.
func (e *events) line(p []byte) int {
	if e.at == inName {
		return e.readName(p)
	}
	if e.at == afterColon {
		if e.at = e.field(); p[0] == ' ' {
			return 1
		}
	}
	end := bytes.IndexByte(p, '\n')
	if end < 0 {
		end = len(p)
	}
	if cr := bytes.IndexByte(p[:end], '\r'); cr >= 0 {
		end = cr
	}
	e.value(p[:end])
	if end == len(p) {
		return end
	}
	e.cr, e.dropped = p[end] == '\r', e.at == inComment
	return end + e.endLine()
}

// whole gives the event that ends with the blank line at i, if it is in one piece.
func (e *events) whole(p []byte, i int) []byte {
	switch {
	case e.start < 0:
		return nil
	case p[i] == '\n':
		return p[e.start : i+1]
	case i+1 < len(p) && p[i+1] == '\n':
		return p[e.start : i+2]
	}
	return nil
}

func (e *events) endLine() int {
	e.at = lineStart
	return 1
}

func (e *events) readName(p []byte) int {
	for i, c := range p {
		switch {
		case c == ':':
			e.at = afterColon
			return i + 1
		case c == '\n' || c == '\r':
			e.cr, e.dropped = c == '\r', false
			return i + e.endLine()
		case len(e.name) <= maxName:
			e.name = append(e.name, c)
		}
	}
	return len(p)
}

// field tells which field the line is.
func (e *events) field() place {
	switch string(e.name) {
	case "data":
		e.lines++
		return inData
	case "event":
		e.kind = e.kind[:0]
		return inKind
	}
	return inOther
}

func (e *events) value(p []byte) {
	switch e.at {
	case inData:
		if room := len(endMarker) - len(e.head); room > 0 {
			e.head = append(e.head, p[:min(room, len(p))]...)
		}
		e.length = min(e.length+len(p), maxText)
		e.doc.feed(p)
	case inKind:
		e.kind = append(e.kind, p[:min(len(p), maxKind-len(e.kind))]...)
	}
}

// dispatch ends an event. whole is all of it, or nil.
func (e *events) dispatch(whole []byte) {
	if e.lines > 0 {
		e.doc.end()
		e.judge(whole)
	}
	e.open, e.lines, e.length = false, 0, 0
	e.head, e.kind = e.head[:0], e.kind[:0]
	e.doc.reset()
}

// judge tells what an event means.
func (e *events) judge(whole []byte) {
	f := &e.doc.facts
	e.known = e.known || f.known
	switch {
	case e.length == len(endMarker) && string(e.head) == endMarker:
		e.done, e.ready, e.known = true, true, true
	case f.failed, f.is(roleFinish, "error"), e.isKind(e.dialect.errors):
		e.fault, e.told = faultError, f.report()
	case e.isKind(e.dialect.idle):
	default:
		e.done = e.done || f.done || e.isKind(e.dialect.ends)
		if !f.known { // of an API that is not known: all events are content
			f.content, e.strange = true, true
		}
		if f.content {
			e.deltas++
			e.progress = true
			if e.lines == 1 && f.known && !f.done && !e.isKind(e.dialect.ends) {
				e.usual.learn(whole, e.doc.slots[:e.doc.found])
			}
		}
		e.ready = e.ready || f.content || e.done
	}
}

// isKind tells whether the event is of one of the kinds, which its field says or a member of its data.
func (e *events) isKind(kinds []string) bool {
	for _, k := range kinds {
		if string(e.kind) == k || e.doc.facts.is(roleType, k) {
			return true
		}
	}
	return false
}

// end takes an event that was not ended by a blank line as complete, unless its
// JSON is cut: some upstreams leave the last one out, and clients read it all
// the same.
func (e *events) end() {
	cut := e.open && e.lines > 0 && len(e.head) > 0 && e.head[0] == '{' && !e.doc.complete()
	if e.fault == faultless && e.open && !cut {
		e.dispatch(nil)
	}
	switch {
	case e.fault != faultless || e.done:
	case cut || e.known && !e.strange:
		e.fault = faultCut
	case e.strict && !e.began:
		e.fault = faultEmpty
	}
}
