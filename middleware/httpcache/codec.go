package httpcache

import (
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"
)

// codecVersion is the first byte of an index entry. Any other version is a miss.
const codecVersion = 1

// errCodec says that bytes are no index entry of this version.
var errCodec = errors.New("httpcache: not an index entry of this version")

// The bits of an entry's flags.
const (
	codedUncompressed = 1 << iota
	codedFixed
	codedTrailer
	codedField

	codedKnown = codedUncompressed | codedFixed | codedTrailer | codedField
)

// encodeResource writes the index entry of a key: everything but the bodies
// that are stored under an id of their own. Numbers are varints, strings and
// lists have their length in front. What can be parsed from the header is not written.
func encodeResource(r *resource) []byte {
	w := writer{make([]byte, 0, 1024)}
	w.b = append(w.b, codecVersion)
	w.string(r.url)
	w.time(r.aloneUntil)
	w.count(len(r.entries))
	for _, e := range r.entries {
		w.entry(e)
	}
	return w.b
}

// decodeResource reads an index entry. It believes no length before it has
// looked how much there is, and never panics. The bodies of the result are parts of b.
func decodeResource(b []byte, key string) (*resource, error) {
	if len(b) == 0 || b[0] != codecVersion {
		return nil, errCodec
	}
	d := reader{b: b[1:], text: string(b[1:])}
	r := &resource{key: key, url: d.string(), aloneUntil: d.time()}
	for range d.count() {
		e := d.entry()
		if d.bad {
			return nil, errCodec
		}
		r.entries = append(r.entries, e)
	}
	if d.bad || d.at != len(d.b) {
		return nil, errCodec
	}
	return r.weigh(), nil
}

type writer struct{ b []byte }

func (w *writer) entry(e *entry) {
	flags := 0
	if e.uncompressed {
		flags |= codedUncompressed
	}
	if e.fixed {
		flags |= codedFixed
	}
	if e.trailer != nil {
		flags |= codedTrailer
	}
	if e.field != "" {
		flags |= codedField
	}
	w.count(flags)
	w.count(e.status)
	w.count(e.major)
	w.count(e.minor)
	w.string(e.statusLine)
	w.string(e.proto)
	w.number(int64(e.lifetime))
	w.number(int64(e.initialAge))
	w.time(e.received)
	w.fields(e.header)
	if e.trailer != nil {
		w.header(e.trailer)
	}
	if e.field != "" {
		w.string(e.field)
	}
	w.count(len(e.selecting))
	for _, s := range e.selecting {
		w.string(s.name)
		w.optional(s.found, s.value)
	}
	w.string(e.stamp.url)
	w.string(e.stamp.epoch)
	w.b = binary.AppendUvarint(w.b, e.stamp.seq)
	w.count(len(e.stamp.tags))
	for _, m := range e.stamp.tags {
		w.string(m.label)
		w.string(m.generation)
	}
	w.string(e.bodyID)
	if e.bodyID != "" {
		w.number(e.bodySize)
		w.time(e.bodyExpires)
		return
	}
	w.count(len(e.body))
	w.b = append(w.b, e.body...)
}

// count writes a number that is not negative.
func (w *writer) count(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) }

func (w *writer) number(n int64) { w.b = binary.AppendVarint(w.b, n) }

func (w *writer) string(s string) {
	w.count(len(s))
	w.b = append(w.b, s...)
}

// optional writes a value that may be absent, which is not the same as empty.
func (w *writer) optional(found bool, value string) {
	if !found {
		w.count(0)
		return
	}
	w.count(1)
	w.string(value)
}

func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.number(math.MinInt64)
		return
	}
	w.number(t.UnixNano())
}

func (w *writer) fields(f fields) {
	names := 0
	for range f.each() {
		names++
	}
	w.count(names)
	for name, lines := range f.each() {
		w.string(name)
		w.count(len(lines))
		for i := range lines {
			w.string(lines[i].value)
		}
	}
}

func (w *writer) header(h http.Header) {
	w.count(len(h))
	for name, values := range h {
		w.string(name)
		w.count(len(values))
		for _, v := range values {
			w.string(v)
		}
	}
}

// reader reads what writer wrote. After the first thing that is wrong it gives zeros.
type reader struct {
	b    []byte
	text string // the same: strings are parts of it, one allocation for all
	at   int
	bad  bool
}

func (r *reader) fail() { r.bad, r.at = true, len(r.b) }

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b[r.at:])
	if size <= 0 {
		r.fail()
		return 0
	}
	r.at += size
	return n
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.b[r.at:])
	if size <= 0 {
		r.fail()
		return 0
	}
	r.at += size
	return n
}

// count reads a length: of a string or of a list, of which every element takes at least a byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.at) {
		r.fail()
		return 0
	}
	return int(n)
}

// small reads a number that is no length, such as a status.
func (r *reader) small() int {
	n := r.uvarint()
	if n > math.MaxUint16 {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) string() string {
	n := r.count()
	s := r.text[r.at : r.at+n]
	r.at += n
	return s
}

func (r *reader) time() time.Time {
	n := r.number()
	if r.bad || n == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

func (r *reader) fields() fields {
	n := r.count()
	f := make(fields, 0, min(n, 64))
	for range n {
		name := r.string()
		for range r.count() {
			f = append(f, fieldLine{name, r.string()})
			if r.bad {
				return nil
			}
		}
	}
	return slices.Clip(f)
}

func (r *reader) header() http.Header {
	n := r.count()
	h := make(http.Header, min(n, 64))
	for range n {
		name := r.string()
		lines := r.count()
		values := make([]string, 0, min(lines, 64))
		for range lines {
			values = append(values, r.string())
		}
		if r.bad {
			return nil
		}
		h[name] = values[:len(values):len(values)]
	}
	return h
}

func (r *reader) entry() *entry {
	e := &entry{}
	flags := r.small()
	if flags&^codedKnown != 0 {
		r.fail()
	}
	e.uncompressed, e.fixed = flags&codedUncompressed != 0, flags&codedFixed != 0
	e.status, e.major, e.minor = r.small(), r.small(), r.small()
	e.statusLine, e.proto = r.string(), r.string()
	e.lifetime, e.initialAge = time.Duration(r.number()), time.Duration(r.number())
	e.received = r.time()
	e.header = r.fields()
	if flags&codedTrailer != 0 {
		e.trailer = r.header()
	}
	if flags&codedField != 0 {
		e.field = r.string()
	}
	for range r.count() {
		s := selecting{name: r.string()}
		switch r.small() {
		case 0:
		case 1:
			s.value, s.found = r.string(), true
		default:
			r.fail()
		}
		e.selecting = append(e.selecting, s)
	}
	e.stamp.url, e.stamp.epoch, e.stamp.seq = r.string(), r.string(), r.uvarint()
	for range r.count() {
		m := labelMark{r.string(), r.string()}
		e.stamp.tags, e.tags = append(e.stamp.tags, m), append(e.tags, m.label)
	}
	if e.bodyID = r.string(); e.bodyID != "" {
		e.bodySize, e.bodyExpires = r.number(), r.time()
	} else {
		n := r.count()
		e.body = r.b[r.at : r.at+n : r.at+n]
		r.at += n
	}
	if r.bad || e.status < 100 || e.status > 999 || e.bodySize < 0 || e.initialAge < 0 {
		r.fail()
		return nil
	}
	e.parse()
	return e
}
