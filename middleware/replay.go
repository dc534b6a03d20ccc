package middleware

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// ErrNotReplayable says that a request's body can't be sent a second time: it
// has no GetBody and is larger than what may be buffered.
var ErrNotReplayable = errors.New("the request's body can't be sent again")

// Replay gives each attempt of a request a body of its own. A request without
// a body, or with GetBody, costs nothing. Any other body is recorded while the
// first attempt sends it, up to a bound, and never read ahead, so that
// streaming uploads stay streaming; what is longer can be sent once.
//
// Body is called for one attempt after the other or side by side; Release once
// at the end. The zero Replay is not usable; see NewReplay.
type Replay struct {
	req  *http.Request
	tape *tape // nil unless the body has to be recorded
	sent bool
}

// NewReplay prepares the replay of req's body, buffering at most limit bytes
// where it has no GetBody. A body that is known to be longer is not recorded.
func NewReplay(req *http.Request, limit Bytes) Replay {
	r := Replay{req: req}
	if hasBody(req) && req.GetBody == nil && req.ContentLength <= int64(limit) {
		r.tape = &tape{src: req.Body, limit: int(limit)}
	}
	return r
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// Body gives the body for the next attempt; ErrNotReplayable, or GetBody's
// error, if there can't be another one.
func (r *Replay) Body() (io.ReadCloser, error) {
	first := !r.sent
	r.sent = true
	switch {
	case !hasBody(r.req):
		return r.req.Body, nil
	case r.tape != nil:
		return r.tape.reader()
	case first:
		return r.req.Body, nil
	case r.req.GetBody != nil:
		return r.req.GetBody()
	}
	return nil, ErrNotReplayable
}

// Replayable tells whether Body will give another body, as far as can be known.
func (r *Replay) Replayable() bool {
	switch {
	case !hasBody(r.req) || !r.sent || r.req.GetBody != nil:
		return true
	case r.tape != nil:
		r.tape.mu.Lock()
		defer r.tape.mu.Unlock()
		return r.tape.complete()
	}
	return false
}

// Release says that there will be no further attempt. The caller's body is
// closed as soon as no attempt reads from it.
func (r *Replay) Release() {
	switch {
	case r.tape != nil:
		r.tape.release()
	case !r.sent:
		CloseBody(r.req)
	}
}

// tape records what is read from src, as long as that is at most limit bytes.
// Readers that have reached the end of the recording take turns at src. No lock
// that Close needs is held while src is read: a transport closes a body to get
// a blocked Read back.
type tape struct {
	limit   int
	src     io.ReadCloser
	reading sync.Mutex

	mu       sync.Mutex
	recorded []byte
	overrun  *tapeReader // dropped the recording, because it went on past the limit; only it can read on
	err      error       // what src ended with, io.EOF as a rule
	open     int         // readers that are not closed
	released bool
}

func (t *tape) reader() (io.ReadCloser, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.complete() {
		return nil, ErrNotReplayable
	}
	t.open++
	return &tapeReader{tape: t}, nil
}

// complete tells whether all that was read is still there. t.mu is held.
func (t *tape) complete() bool {
	return t.overrun == nil && (t.err == nil || t.err == io.EOF)
}

// record notes what r has read. t.mu is held.
func (t *tape) record(r *tapeReader, p []byte, err error) {
	t.err = err
	if t.overrun == nil && len(t.recorded)+len(p) > t.limit {
		t.overrun, t.recorded = r, nil
	}
	if t.overrun == nil {
		t.recorded = append(t.recorded, p...)
		r.off = len(t.recorded)
	}
}

func (t *tape) release() {
	t.mu.Lock()
	t.released = true
	done := t.open == 0
	t.mu.Unlock()
	if done {
		_ = t.src.Close()
	}
}

type tapeReader struct {
	tape   *tape
	off    int
	closed bool
}

func (r *tapeReader) Read(p []byte) (int, error) {
	t := r.tape
	if n, err, ok := r.played(p); ok {
		return n, err
	}
	t.reading.Lock()
	defer t.reading.Unlock()
	// Somebody else may have read on in the meantime.
	if n, err, ok := r.played(p); ok {
		return n, err
	}
	n, err := t.src.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.record(r, p[:n], err)
	return n, err
}

// played reads from the recording; ok is false when src has to be read.
func (r *tapeReader) played(p []byte) (n int, err error, ok bool) {
	t := r.tape
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case r.closed:
		return 0, http.ErrBodyReadAfterClose, true
	case t.overrun != nil && t.overrun != r:
		return 0, ErrNotReplayable, true
	case r.off < len(t.recorded):
		n = copy(p, t.recorded[r.off:])
		r.off += n
		return n, nil, true
	case t.err != nil:
		return 0, t.err, true
	}
	return 0, nil, false
}

func (r *tapeReader) Close() error {
	t := r.tape
	t.mu.Lock()
	if r.closed {
		t.mu.Unlock()
		return nil
	}
	r.closed = true
	t.open--
	done := t.released && t.open == 0
	t.mu.Unlock()
	if done {
		return t.src.Close()
	}
	return nil
}
