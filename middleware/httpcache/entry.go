package httpcache

import (
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
)

// entry is a stored answer. It is immutable once it can be found; what a hit
// needs was parsed when it was stored.
type entry struct {
	status          int
	statusLine      string
	proto           string
	major, minor    int
	header          http.Header // end-to-end fields only
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
}

// newEntry makes the entry for a response whose body is still to come.
func newEntry(p policy, resp *http.Response, request http.Header, requested, received time.Time) *entry {
	cc, field := p.directivesOf(resp.Header)
	a := answer{status: resp.StatusCode, header: resp.Header, cc: cc}
	e := &entry{
		field:  field,
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
	e.hasLastModified = len(e.header["Last-Modified"]) > 0
	return e
}

// parse makes what a hit needs of the header, when the rest was read from a byte store.
func (e *entry) parse() {
	e.cc = directivesIn(e.header, e.field)
	e.hasLastModified = len(e.header["Last-Modified"]) > 0
}

// age is the answer's current age (RFC 9111, section 4.2.3).
func (e *entry) age(now time.Time) time.Duration {
	return e.initialAge + max(0, now.Sub(e.received))
}

func (e *entry) etag() string {
	if v := e.header["Etag"]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// good tells whether it is an answer, and not that the upstream could not give one.
func (e *entry) good() bool {
	return e.status < http.StatusInternalServerError && e.status != http.StatusTooManyRequests
}

// validators tells whether the upstream can be asked if the answer is still good.
func (e *entry) validators() bool { return e.hasLastModified || e.etag() != "" }

// hopByHop are the fields that are about a connection and not about the answer
// (RFC 9110, section 7.6.1; RFC 9111, section 3.1), and Age, which is computed.
var hopByHop = [...]string{
	"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
	"Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade", "Age",
}

// endToEnd copies a header without what must not be stored. A Date is added
// where there is none, because the answer will be read later than it came
// (RFC 9110, section 6.6.1). The values' slices are shared by the first caller and
// every hit: their capacity is clipped on both sides, so that who adds to a field
// gets a copy.
func endToEnd(h http.Header, received time.Time) http.Header {
	for name, values := range h {
		if cap(values) > len(values) {
			h[name] = slices.Clip(values)
		}
	}
	out := maps.Clone(h)
	if out == nil {
		out = make(http.Header, 1)
	}
	for _, line := range h["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			delete(out, textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t")))
		}
	}
	for _, name := range hopByHop {
		delete(out, name)
	}
	if len(out["Date"]) == 0 {
		out["Date"] = []string{received.UTC().Format(http.TimeFormat)}
	}
	return out
}

// freshened is the entry after a 304: its header updated by the 304's, but for
// the fields that describe the stored bytes, which the 304 did not carry
// (RFC 9111, section 3.2). Copying its Content-Length would break the framing.
func (e *entry) freshened(p policy, resp *http.Response, requested, received time.Time) *entry {
	fresh := *e
	fresh.header = maps.Clone(e.header)
	for name, values := range endToEnd(resp.Header, received) {
		switch name {
		case "Content-Length", "Content-Encoding", "Content-Type", "Content-Range":
		default:
			fresh.header[name] = values
		}
	}
	fresh.cc, fresh.field = p.directivesOf(fresh.header)
	fresh.initialAge = initialAge(resp.Header, requested, received)
	fresh.received = received
	fresh.fixed = false
	fresh.lifetime = lifetime(p, answer{status: e.status, header: fresh.header, cc: fresh.cc}, received)
	fresh.hasLastModified = len(fresh.header["Last-Modified"]) > 0
	return &fresh
}

// contentLength is what a HEAD request is told: the stored field, or the stored bytes.
func (e *entry) contentLength() int64 {
	if v := e.header["Content-Length"]; len(v) > 0 {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// entryOverhead is about what the structs of an entry take besides strings, in bytes.
const entryOverhead = 512

func (e *entry) size() int64 {
	n := entryOverhead + max(int64(cap(e.body)), e.bodySize)
	for _, h := range []http.Header{e.header, e.trailer} {
		for name, values := range h {
			n += int64(len(name)) + 64
			for _, v := range values {
				n += int64(len(v)) + 16
			}
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

// newResource is what is stored at a place once e joins others, and takes the
// place of the one that was selected by the same values. The oldest ones leave when
// there are more than variants, or when all together exceed maxBytes, so that a
// rotating value in Vary does not fill the store.
func newResource(at *place, e *entry, others []*entry, variants int, maxBytes int64) *resource {
	next := &resource{key: at.key, url: at.url}
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
