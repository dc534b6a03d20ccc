package llm

// document is an answer in JSON.
type document struct{ reading }

func newDocument(p *paths, strict bool) *document {
	d := &document{}
	d.doc.paths, d.strict = p, strict
	d.doc.reset()
	return d
}

func (d *document) read() *reading { return &d.reading }

func (d *document) feed(p []byte) int {
	d.began = d.began || len(p) > 0
	d.doc.feed(p)
	f := &d.doc.facts
	d.progress = d.progress || len(p) > 0
	d.ready = d.ready || f.answer && !f.failed
	return len(p)
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
