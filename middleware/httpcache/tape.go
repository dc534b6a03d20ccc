package httpcache

import (
	"io"
	"net/http"
	"slices"
	"sync"
)

// tape is the growing body of an answer that several callers read, each at its
// own pace. The upstream is read only when a reader has come to the end of what
// is there and wants more, in a goroutine of its own for each read, so that a
// reader that is cancelled need not wait for the upstream; the others go on.
//
// All readers begin at the start. While the body is within the limit all of it
// is kept, to be stored. Beyond, nobody can join, and what is kept is what the
// slowest reader still wants; one that falls behind by more than the limit fails
// with ErrFellBehind, so that it neither holds memory nor stops the others.
type tape struct {
	src io.ReadCloser

	mu       sync.Mutex
	fill     *fill // its body is the recording, until it is over the limit
	window   []byte
	start    int64 // where window starts, once it was cut
	over     bool  // longer than the limit
	reading  bool  // a goroutine reads src
	finished bool  // src has ended
	err      error // what it ended with, io.EOF as a rule
	closed   bool  // src is closed, or about to be
	trailer  http.Header
	panicked any // what reading src panicked with: it goes on up in the readers
	readers  []*tapeReader
	onEnd    func() // nobody can join any more
}

// maxRead bounds one read of the upstream, in bytes.
const maxRead = 64 << 10

func newTape(src io.ReadCloser, f *fill, onEnd func()) *tape {
	return &tape{src: src, fill: f, onEnd: onEnd}
}

// attach adds a reader. It fails when the beginning is gone or nobody reads any more.
func (t *tape) attach(r *tapeReader) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.closed && t.err != io.EOF {
		return false
	}
	r.tape = t
	r.more = make(chan struct{}, 1)
	t.readers = append(t.readers, r)
	return true
}

// read gives bytes from the offset on; ok is false if there are none yet.
func (t *tape) read(r *tapeReader, p []byte) (n int, ok bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch at := r.off - t.start; {
	case t.finished && r.off == t.start+int64(len(t.window)) && t.panicked == nil:
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
		if t.finished && t.err == io.EOF && r.off == t.start+int64(len(t.window)) {
			return n, true, io.EOF
		}
		return n, true, nil
	case t.panicked != nil:
		panic(t.panicked)
	}
	if !t.reading {
		t.reading = true
		t.trim()
		go t.fetch(t.room())
	}
	return 0, false, nil
}

// room is where the next bytes go: the free end of the window. t.mu is held; the read fills it without.
func (t *tape) room() []byte {
	if !t.over {
		p := t.fill.room(maxRead)
		t.window = t.fill.body
		return p
	}
	t.window = slices.Grow(t.window, maxRead)
	return t.window[len(t.window) : len(t.window)+maxRead]
}

// fetch reads from the upstream once, and once more for the end where
// everything that was declared is there: that comes at once, as a rule.
func (t *tape) fetch(p []byte) {
	for more := true; more; {
		n, panicked, err := readOnce(t.src, p)
		t.mu.Lock()
		closing := err != nil && !t.closed
		t.record(n, panicked, err)
		if more = !t.finished && !t.closed && t.fill.whole(); more {
			p = t.room()
		}
		t.reading = more
		ended := t.over || t.finished
		t.mu.Unlock()
		if ended {
			t.onEnd()
		}
		if closing {
			_ = t.src.Close()
		}
		t.wake()
	}
}

// record adds n bytes that were read into the room, and how that ended. t.mu is held.
func (t *tape) record(n int, panicked any, err error) {
	t.panicked = panicked
	t.window = t.window[:len(t.window)+n]
	if !t.over {
		t.fill.body = t.window
		if int64(len(t.window)) > t.fill.settings.maxEntryBytes {
			t.over = true
			t.fill.abort()
		}
	}
	if err != nil {
		t.finish(err)
	}
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

// finish notes how the upstream's body ended. What ended cleanly is stored
// before anybody sees the end. t.mu is held.
func (t *tape) finish(err error) {
	if err == io.EOF && !t.closed {
		t.fill.commit()
		t.trailer = t.fill.resp.Trailer.Clone()
	} else {
		// Also for what ended because it was closed: some bodies call that a clean end.
		t.fill.abort()
	}
	t.finished, t.err, t.closed = true, err, true
}

// end ends a body of which there is nothing to read. The exchanges of those who
// share it end without anybody reading, as soon as they have its response.
func (t *tape) end() {
	t.mu.Lock()
	already := t.reading || t.finished
	if !already {
		t.finish(io.EOF)
	}
	t.mu.Unlock()
	if !already {
		_ = t.src.Close()
		t.onEnd()
	}
}

func (t *tape) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.readers {
		select {
		case r.more <- struct{}{}:
		default:
		}
	}
}

// trim forgets what every reader has read, once the body is over the limit. t.mu is held.
func (t *tape) trim() {
	if !t.over {
		return
	}
	limit := t.fill.settings.maxEntryBytes
	end := t.start + int64(len(t.window))
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
	select {
	case r.more <- struct{}{}: // a Read that waits
	default:
	}
	if len(t.readers) > 0 || t.closed {
		return false
	}
	t.closed = true
	if !t.reading {
		if t.fill.whole() {
			t.fill.commit()
		}
		t.fill.abort()
	}
	return true
}
