package llm

// document is an answer in JSON. Blank lines in front of it, which keep a
// connection alive while the request waits, are left out
// where an answer has to come.
type document struct{ reading }

func newDocument(p *paths, strict bool) *document {
	d := &document{}
	d.doc.paths, d.strict = p, strict
	d.doc.reset()
	return d
}

func (d *document) read() *reading { return &d.reading }

func (d *document) feed(p []byte) int {
	n := len(p)
	if !d.began && d.strict {
		blank := 0
		for blank < n && isBlank(p[blank]) {
			blank++
		}
		n = copy(p, p[blank:])
	}
	d.began = d.began || n > 0
	d.doc.feed(p[:n])
	f := &d.doc.facts
	d.progress = d.progress || n > 0
	d.ready = d.ready || f.answer && !f.failed
	return n
}

func (d *document) end() {
	d.doc.end()
	switch f := &d.doc.facts; {
	case f.failed && !f.answer:
		d.fault, d.told = faultError, f.report()
	case !d.strict:
	case !d.began:
		d.fault = faultEmpty
	case !d.doc.complete():
		d.fault = faultCut
	default:
		d.done, d.ready = true, true
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// problem is the body of an error: it is read for what it says, and has no fault.
type problem struct{ document }

func newProblem(p *paths) *problem { return &problem{*newDocument(p, false)} }

func (p *problem) end() { p.doc.end() }

// plain is a body of which nothing is known: all of it is content.
type plain struct{ reading }

func (p *plain) read() *reading { return &p.reading }
func (p *plain) end()           { p.done = true }

func (p *plain) feed(b []byte) int {
	p.progress, p.ready = p.progress || len(b) > 0, true
	return len(b)
}
