package httpcache

import (
	"io"
	"net/http"
	"slices"
	"sync"
)

// tape is the growing body of an answer that several callers read, each at its
// own pace. A goroutine of its own reads the upstream, so that a reader that is
// cancelled need not wait for the upstream and the others go on. It reads a
// little ahead of the fastest reader and then stops; a reader that has come to the
// end of what is there starts it again.
//
// All readers begin at the start. While the body is within the limits all of it
// is kept, to be stored. Beyond, nobody can join, and what is kept is what the
// slowest reader still wants; one that falls behind by more than the limit fails
// with ErrFellBehind, so that it neither holds memory nor stops the others.
type tape struct {
	src io.ReadCloser

	mu       sync.Mutex
	more     sync.Cond // on mu: something that a reader may wait for
	fill     *fill     // its body is the recording, until it is over a limit
	window   []byte
	start    int64 // where window starts, once it was cut
	over     bool  // longer than the limits
	reading  bool  // a goroutine reads src
	finished bool  // src has ended
	err      error // what it ended with, io.EOF as a rule
	closed   bool  // src is closed, or about to be
	trailer  http.Header
	panicked any // what reading src, or storing, panicked with: it goes on up in the readers
	readers  []*tapeReader
	flight   *flight
	first2   [2]*tapeReader
	beyond   [1]byte // room for a read that should only find the end
}

// maxRead bounds one read of the upstream, and readAhead by how much it may be
// ahead of the fastest reader before another one, in bytes.
const (
	maxRead   = 64 << 10
	readAhead = 64 << 10
)

// begin makes the tape of an answer's body.
func (t *tape) begin(f *flight) {
	t.flight, t.src, t.fill = f, f.resp.Body, f.result.fill
	t.more.L = &t.mu
	t.readers = t.first2[:0]
}

// attach adds a reader. It fails when the beginning is gone or nobody reads any more.
func (t *tape) attach(r *tapeReader) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.closed && t.err != io.EOF {
		return false
	}
	r.tape = t
	t.readers = append(t.readers, r)
	return true
}

// read gives bytes from the reader's offset on, and waits until there are some.
func (t *tape) read(r *tapeReader, p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		if n, ok, err := t.next(r, p); ok {
			return n, err
		}
		if !t.reading {
			t.reading = true
			t.flight.busy.Add(goroutine)
			go t.resume()
		}
		t.more.Wait()
	}
}

// next gives bytes from the offset on; ok is false if there are none yet. t.mu is held.
func (t *tape) next(r *tapeReader, p []byte) (n int, ok bool, err error) {
	switch at := r.off - t.start; {
	case t.finished && r.off == t.end() && t.panicked == nil:
		return 0, true, t.err // also after the exchange has ended with it
	case r.closed && r.cause != nil:
		return 0, true, r.cause
	case r.closed:
		return 0, true, http.ErrBodyReadAfterClose
	case r.behind:
		return 0, true, ErrFellBehind
	case len(p) == 0:
		return 0, true, nil
	case at < int64(len(t.window)):
		n = copy(p, t.window[at:])
		r.off += int64(n)
		if t.finished && t.err == io.EOF && r.off == t.end() {
			return n, true, io.EOF
		}
		return n, true, nil
	case t.panicked != nil:
		panic(t.panicked)
	}
	return 0, false, nil
}

// end is the offset after the last byte that is there. t.mu is held.
func (t *tape) end() int64 { return t.start + int64(len(t.window)) }

// resume fetches in a goroutine of its own.
func (t *tape) resume() {
	defer t.flight.back()
	t.fetch()
}

// fetch reads from the upstream until it is far enough ahead. t.reading is set:
// until it is not, the fill is this goroutine's.
func (t *tape) fetch() {
	for {
		t.mu.Lock()
		p := t.room()
		t.mu.Unlock()
		n, panicked, err := readOnce(t.src, p)
		if !t.record(p[:n], panicked, err) {
			return
		}
	}
}

// room is where the next bytes go: the free end of the window, or beyond, where
// all that was declared is there. t.mu is held; the read fills it without.
func (t *tape) room() []byte {
	if !t.over && t.fill.whole() {
		return t.beyond[:]
	}
	if !t.over {
		if p := t.fill.room(maxRead); p != nil {
			t.window = t.fill.body
			return p
		}
		t.fill.cache.stats.unrecorded.Add(1)
		t.drop()
	}
	t.trim()
	t.window = slices.Grow(t.window, maxRead)
	return t.window[len(t.window) : len(t.window)+maxRead]
}

// drop gives the recording up: nobody can join any more. t.mu is held.
func (t *tape) drop() {
	t.over = true
	t.fill.abort()
	t.flight.drop()
}

// record adds what was read into the room, and how that ended. It tells whether to read on.
func (t *tape) record(p []byte, panicked any, err error) bool {
	t.mu.Lock()
	t.panicked = panicked
	if len(p) > 0 && &p[0] == &t.beyond[0] {
		t.window = append(t.window, p...)
	} else { // where it was read to
		t.window = t.window[:len(t.window)+len(p)]
	}
	if !t.over {
		t.fill.body = t.window
		if int64(len(t.window)) > t.fill.settings.maxEntryBytes {
			t.drop()
		}
	}
	if err == nil {
		defer t.mu.Unlock()
		t.more.Broadcast()
		t.reading = !t.closed && (t.ahead() < readAhead || t.fill.whole())
		if t.closed {
			t.given()
		}
		return t.reading
	}
	closing := !t.closed
	clean := closing && err == io.EOF || !closing && t.fill.whole()
	t.more.Broadcast()
	t.mu.Unlock()
	t.finish(err, clean, closing)
	return false
}

// ahead is by how much the fastest reader is behind what is there. t.mu is held.
func (t *tape) ahead() int64 {
	fastest := t.start
	for _, r := range t.readers {
		fastest = max(fastest, r.off)
	}
	return t.end() - fastest
}

// finish notes how the upstream's body ended. What ended cleanly is stored before
// anybody sees the end. What ended because it was closed is not, whatever the body
// calls that, unless all that was declared is there.
func (t *tape) finish(err error, clean, closing bool) {
	var trailer http.Header
	var panicked any
	if clean {
		if panicked = t.commit(); panicked != nil {
			err = io.ErrUnexpectedEOF
		}
		trailer = t.fill.resp.Trailer.Clone()
	} else {
		t.fill.abort()
	}
	t.mu.Lock()
	if panicked != nil {
		t.panicked = panicked
	}
	t.finished, t.err, t.closed, t.reading, t.trailer = true, err, true, false, trailer
	t.mu.Unlock()
	t.flight.drop()
	if closing {
		_ = t.src.Close()
	}
	t.more.Broadcast()
}

// commit stores, and turns a panic of the application's check or store into a value.
func (t *tape) commit() (panicked any) {
	defer func() { panicked = recover() }()
	t.fill.commit()
	return nil
}

// readOnce reads, and turns a panic into a value.
func readOnce(src io.Reader, p []byte) (n int, panicked any, err error) {
	defer func() {
		if panicked = recover(); panicked != nil {
			n, err = 0, io.ErrUnexpectedEOF
		}
	}()
	n, err = src.Read(p)
	return n, nil, err
}

// empty ends a body of which there is nothing to read, before anybody reads. The
// exchanges of those who share it may end as soon as they have its response.
// t.reading is set: the fill is this goroutine's.
func (t *tape) empty() {
	t.mu.Lock()
	wanted := !t.closed
	t.mu.Unlock()
	t.finish(io.EOF, wanted, wanted)
}

// trim forgets what every reader has read, of a body that is over a limit. t.mu is held.
func (t *tape) trim() {
	limit := t.fill.settings.maxEntryBytes
	if !t.fill.held.resize(int64(cap(t.window))) {
		limit = maxRead // there is no memory left for those who are slow
	}
	end := t.end()
	slowest := end
	for _, r := range t.readers {
		if r.behind = r.behind || end-r.off > limit; !r.behind {
			slowest = min(slowest, r.off)
		}
	}
	kept := t.window[slowest-t.start:]
	if cap(t.window) > 8*maxRead && len(kept) < cap(t.window)/8 {
		t.window = slices.Clone(kept) // lets go of what was recorded
	} else {
		t.window = t.window[:copy(t.window, kept)]
	}
	t.start = slowest
}

// detach removes a reader. After the last one, src is the caller's to close.
func (t *tape) detach(r *tapeReader, cause error) (last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.closed, r.cause = true, cause
	t.readers = slices.DeleteFunc(t.readers, func(x *tapeReader) bool { return x == r })
	t.more.Broadcast() // a Read that waits
	if len(t.readers) > 0 {
		return false
	}
	defer t.fill.held.release()
	if t.closed {
		return false
	}
	t.closed = true
	if !t.reading {
		t.given()
	}
	return true
}

// given ends the recording of a body that was closed before its end was seen: all
// of it may be there. t.mu is held, and the fill is this goroutine's.
func (t *tape) given() {
	if t.fill.whole() {
		_ = t.commit() // nobody is left to panic
	}
	t.fill.abort()
}
