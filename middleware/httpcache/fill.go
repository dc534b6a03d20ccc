package httpcache

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// fill is an answer on its way into the cache: its entry, and its body as far
// as it was read. It is used by one goroutine at a time.
type fill struct {
	cache    *Cache
	settings *settings
	ctx      lasting
	at       place
	resp     *http.Response // the upstream's, for its trailer alone: its header is the first caller's by now
	entry    *entry
	keyed    bool
	declared int64 // length of the body; -1 if that is not known
	body     []byte
	off      bool // too long, or settled
	held     recording
	tee      tee
	status   [1]string // room for the response's Cache-Status
}

// lasting has the values of a context and no end: an answer is stored although
// its call is over. It is context.WithoutCancel without an allocation.
type lasting struct{ values context.Context }

func (*lasting) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*lasting) Done() <-chan struct{}       { return nil }
func (*lasting) Err() error                  { return nil }
func (d *lasting) Value(key any) any         { return d.values.Value(key) }

// maxFirstBuffer bounds what is allocated on the word of a Content-Length, and
// minBuffer is what a body of unknown length begins with, in bytes.
const (
	maxFirstBuffer = 64 << 10
	minBuffer      = 4 << 10
)

// room gives a buffer for the next bytes of the body, of at least one and at most
// chunk bytes; nil if there is no memory for it.
func (f *fill) room(chunk int) []byte {
	if cap(f.body)-len(f.body) < 1 {
		grow := max(len(f.body), minBuffer)
		if left := f.declared - int64(len(f.body)); left > 0 {
			grow = int(min(left, max(int64(len(f.body)), maxFirstBuffer)))
		}
		if !f.held.resize(int64(cap(f.body) + grow)) {
			return nil
		}
		f.body = slices.Grow(f.body, grow)
	}
	free := f.body[len(f.body):cap(f.body)]
	return free[:min(len(free), chunk)]
}

// add records what the caller read. Over the limit the copy is dropped.
func (f *fill) add(p []byte) {
	if f.off {
		return
	}
	if int64(len(f.body)+len(p)) > f.settings.maxEntryBytes {
		f.abort()
		return
	}
	for len(p) > 0 {
		room := f.room(len(p))
		if room == nil {
			f.cache.stats.unrecorded.Add(1)
			f.abort()
			return
		}
		n := copy(room, p)
		f.body, p = f.body[:len(f.body)+n], p[n:]
	}
}

// whole tells whether all that was declared is there, though the end was not seen.
func (f *fill) whole() bool { return !f.off && f.declared >= 0 && int64(len(f.body)) == f.declared }

// abort drops the copy.
func (f *fill) abort() {
	f.off, f.body = true, nil
	f.held.resize(0)
}

// Settle gives back what is held of a body that nobody will read to its end.
func (f *fill) Settle(uint64, middleware.End) { f.held.release() }

// commit stores the answer, if its body came to the end that it should have.
func (f *fill) commit() {
	if f.off {
		return
	}
	body := f.body
	f.off, f.body = true, nil
	defer f.held.resize(0)
	if f.declared >= 0 && int64(len(body)) != f.declared || !f.complete(body) {
		f.cache.stats.incomplete.Add(1)
		return
	}
	if cap(body) > len(body)+len(body)/4+64 {
		body = slices.Clip(slices.Clone(body))
	}
	e := f.entry
	e.body = body
	if len(f.resp.Trailer) > 0 {
		e.trailer = f.resp.Trailer.Clone()
	}
	f.cache.put(&f.ctx, f.settings, &f.at, e)
}

// complete tells whether the answer has ended well.
func (f *fill) complete(body []byte) bool {
	if f.cache.complete != nil {
		return f.cache.complete(f.entry.status, f.entry.header.header(nil, 0), body)
	}
	contentType, _ := f.entry.header.first("Content-Type")
	if f.keyed {
		return contentComplete(mediaOf(contentType), body)
	}
	return streamComplete(mediaOf(contentType), body)
}

// mark is mark of the response that is recorded, whose header is the upstream's.
func (f *fill) mark(resp *http.Response, member string) {
	if resp.Header == nil || len(resp.Header[cacheStatus]) > 0 {
		mark(resp, member)
		return
	}
	f.status[0] = member
	resp.Header[cacheStatus] = f.status[:]
}

// tee is the body of a response that one caller reads: it records what passes.
type tee struct {
	src  io.ReadCloser
	fill *fill
}

// Read reads from the upstream.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.src.Read(p)
	t.fill.add(p[:n])
	switch err {
	case nil:
	case io.EOF:
		t.fill.commit()
	default:
		t.fill.abort()
	}
	return n, err
}

// Close gives up what was not read. An answer of which everything declared was read is stored all the same.
func (t *tee) Close() error {
	if t.fill.whole() {
		t.fill.commit()
	}
	t.fill.abort()
	return t.src.Close()
}
