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
	last    []byte   // data of the event if it is in one piece, for the template to learn

	at      place
	name    []byte // of the field
	kind    []byte // the event's own field
	head    []byte // the beginning of the event's data
	length  int    // of the data, as far as it matters
	open    bool   // a line of the event has passed
	data    bool   // one of them was data
	fits    bool   // it is as usual
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
			i, keep = i+e.begin(c), e.at != inComment
			if i > from && e.at == lineStart {
				keep = !e.dropped
			}
		default:
			keep = e.at != inComment
			i += e.line(p[i:])
		}
		if keep {
			if n != from {
				e.last = nil // it is about to move
			}
			n += copy(p[n:], p[from:i])
		}
	}
	if e.length == maxText && e.doc.facts.content { // an event that is long in coming
		e.progress = true
	}
	return n
}

// begin looks at the first byte of a line, and takes it where it is all of the
// line or begins a comment.
func (e *events) begin(c byte) int {
	e.mark = len(byteOrderMark)
	switch c {
	case ':':
		e.at = inComment
		return 1
	case '\n', '\r':
		e.cr, e.dropped = c == '\r', !e.open
		e.dispatch()
		return 1
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
	if e.at != inData || !e.asUsual(p, end) {
		e.value(p[:end])
	}
	if end == len(p) {
		return end
	}
	e.cr, e.dropped = p[end] == '\r', e.at == inComment
	return end + e.endLine()
}

// asUsual tells whether an event is as usual but for its text. Only one that
// consists of a single line of data, and is there to its end, is looked at.
func (e *events) asUsual(p []byte, end int) bool {
	e.last = nil
	if e.length > 0 || !endsEvent(p[end:]) {
		return false
	}
	e.last = p[:end]
	e.fits = e.usual.fits(e.kind, e.last, &e.doc.facts)
	return e.fits
}

func endsEvent(p []byte) bool {
	return len(p) > 1 && p[0] == '\n' && p[1] == '\n' || len(p) > 3 && string(p[:4]) == "\r\n\r\n"
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
		e.data = true
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

// dispatch ends an event.
func (e *events) dispatch() {
	switch {
	case e.fits:
		e.deltas++
		e.progress, e.ready = true, true
	case e.data:
		e.doc.end()
		e.judge()
	}
	e.open, e.data, e.fits, e.last, e.length = false, false, false, nil, 0
	e.head, e.kind = e.head[:0], e.kind[:0]
	e.doc.reset()
}

// judge tells what an event means.
func (e *events) judge() {
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
			if e.last != nil && f.known && !f.done && !e.isKind(e.dialect.ends) {
				e.usual.learn(e.kind, e.last, e.doc.slots[:e.doc.found])
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
	cut := e.open && e.data && len(e.head) > 0 && e.head[0] == '{' && !e.doc.complete()
	if e.fault == faultless && e.open && !cut {
		e.dispatch()
	}
	switch {
	case e.fault != faultless || e.done:
	case cut || e.known && !e.strange:
		e.fault = faultCut
	case e.strict && !e.began:
		e.fault = faultEmpty
	}
}
