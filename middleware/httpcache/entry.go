package httpcache

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// entry is a stored answer. It is immutable once it can be found; what a hit
// needs was parsed when it was stored.
type entry struct {
	status          int
	statusLine      string
	proto           string
	major, minor    int
	header          fields // end-to-end only
	trailer         http.Header
	uncompressed    bool // the transport removed a Content-Encoding
	body            []byte
	cc              directives
	field           string // that cc was read from, if it is not Cache-Control
	selecting       []selecting
	lifetime        time.Duration
	fixed           bool // the caller or a route set the lifetime, not the answer
	initialAge      time.Duration
	received        time.Time
	hasLastModified bool
	tags            []string // to purge it by

	// Of a byte store alone.
	stamp       stamp
	bodyID      string // the body is stored under it, and body is nil until it is loaded
	bodySize    int64
	bodyExpires time.Time

	home resource // room for what the entry is first stored in
}

// newEntry makes the entry for a response whose body is still to come. a is what the policy makes of it.
func newEntry(p policy, resp *http.Response, a answer, request http.Header, requested, received time.Time) *entry {
	e := &entry{
		field:  a.field,
		status: resp.StatusCode, statusLine: resp.Status,
		proto: resp.Proto, major: resp.ProtoMajor, minor: resp.ProtoMinor,
		header:       endToEnd(resp.Header, received),
		uncompressed: resp.Uncompressed,
		cc:           a.cc,
		lifetime:     lifetime(p, a, received),
		initialAge:   initialAge(resp.Header, requested, received),
		received:     received,
	}
	e.selecting, _ = selectedBy(resp.Header["Vary"], request)
	_, e.hasLastModified = e.header.first("Last-Modified")
	return e
}

// parse makes what a hit needs of the header, when the rest was read from a byte store.
func (e *entry) parse() {
	e.cc = directivesIn(e.header, e.field)
	_, e.hasLastModified = e.header.first("Last-Modified")
}

// age is the answer's current age (RFC 9111, section 4.2.3).
func (e *entry) age(now time.Time) time.Duration {
	return e.initialAge + max(0, now.Sub(e.received))
}

func (e *entry) etag() string {
	tag, _ := e.header.first("Etag")
	return tag
}

// good tells whether it is an answer, and not that the upstream could not give one.
func (e *entry) good() bool {
	return e.status < http.StatusInternalServerError && e.status != http.StatusTooManyRequests
}

// validators tells whether the upstream can be asked if the answer is still good.
func (e *entry) validators() bool { return e.hasLastModified || e.etag() != "" }

// freshened is the entry after a 304.
func (e *entry) freshened(p policy, resp *http.Response, requested, received time.Time) *entry {
	fresh := *e
	fresh.header = e.header.updated(endToEnd(resp.Header, received))
	header := fresh.header.header(nil, 0)
	fresh.cc, fresh.field = p.directivesOf(header)
	fresh.initialAge = initialAge(resp.Header, requested, received)
	fresh.received = received
	fresh.fixed = false
	fresh.lifetime = lifetime(p, answer{status: e.status, header: header, cc: fresh.cc}, received)
	_, fresh.hasLastModified = fresh.header.first("Last-Modified")
	return &fresh
}

// contentLength is what a HEAD request is told: the stored field, or the stored bytes.
func (e *entry) contentLength() int64 {
	v, _ := e.header.first("Content-Length")
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n >= 0 {
		return n
	}
	return -1
}

// entryOverhead is about what the structs of an entry take besides strings, in bytes.
const entryOverhead = 512

func (e *entry) size() int64 {
	n := entryOverhead + max(int64(cap(e.body)), e.bodySize) + e.header.size()
	for name, values := range e.trailer {
		n += int64(len(name)) + 64
		for _, v := range values {
			n += int64(len(v)) + 16
		}
	}
	for _, s := range e.selecting {
		n += int64(len(s.name)+len(s.value)) + 40
	}
	for _, tag := range e.tags {
		n += int64(len(tag)) + 16
	}
	return n
}

// resource is what is stored under a key: the answers that differ by Vary, the
// newest first. It is immutable.
type resource struct {
	key     string
	url     string
	entries []*entry
	// aloneUntil is set when an answer could not be shared with those who
	// waited for it: until then nobody waits for another's answer again.
	aloneUntil time.Time
	bytes      int64
	one        [1]*entry // room for entries: one is enough as a rule
}

// Size is what a byte-bounded store charges for it.
func (r *resource) Size() int64 { return r.bytes }

func (r *resource) weigh() *resource {
	r.bytes = int64(len(r.key)+len(r.url)) + 112
	for _, e := range r.entries {
		r.bytes += e.size()
	}
	return r
}

// newResource is what is stored at a place once e, a new entry, joins others, and takes the
// place of the one that was selected by the same values. The oldest ones leave when
// there are more than variants, or when all together exceed maxBytes, so that a
// rotating value in Vary does not fill the store.
func newResource(at *place, e *entry, others []*entry, variants int, maxBytes int64) *resource {
	next := &e.home
	*next = resource{key: at.key, url: at.url}
	next.entries = append(next.one[:0], e)
	for _, old := range others {
		// A stored error does not drive the last good answer out: it is what Stale gives.
		replaced := slices.Equal(old.selecting, e.selecting) && (e.good() || !old.good())
		if len(next.entries) < variants && !replaced {
			next.entries = append(next.entries, old)
		}
	}
	for next.weigh(); next.bytes > maxBytes && len(next.entries) > 1; next.weigh() {
		next.entries = next.entries[:len(next.entries)-1]
	}
	return next
}
