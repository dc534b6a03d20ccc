package llm

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// body is an answer's body. It passes on what it reads, in place, and looks at it.
type body struct {
	src    io.ReadCloser
	call   *call
	choose func(first byte) format // 0 for an end without a byte
	trims  bool                    // blank lines in front are keep-alives, and left out

	reading chan struct{} // closed when reading ahead is over; nil where nothing is, and when all of that was passed on
	late    atomic.Bool   // reading ahead is to stop
	dropped bool          // keep-alives were left out
	ended   error         // what the body ended with

	mu      sync.Mutex // guards what follows: Close may come while a Read is on
	format  format     // nil before the first byte
	ahead   []byte     // what was read ahead and not passed on yet
	settled bool
}

// Read reads the answer. It fails with an *Error where that is cut or holds an error.
func (b *body) Read(p []byte) (int, error) {
	n := 0
	if b.reading != nil {
		<-b.reading // a read ahead that was let go may still be on
		var more bool
		if n, more = b.fromAhead(p); more {
			return n, nil
		}
		b.reading = nil
	}
	if n == 0 && b.ended == nil && len(p) > 0 {
		n, b.ended = b.pull(p)
	}
	if b.ended != nil {
		b.settle()
	}
	return n, b.ended
}

// fromAhead gives what was read ahead, and tells whether there is more of it.
func (b *body) fromAhead(p []byte) (n int, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n = copy(p, b.ahead)
	b.ahead = b.ahead[n:]
	return n, len(b.ahead) > 0
}

// Close closes the body.
func (b *body) Close() error {
	b.late.Store(true)
	err := b.src.Close()
	b.settle()
	return err
}

// pull reads until there is something to pass on, or an end.
func (b *body) pull(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = b.src.Read(p)
		n, err = b.look(p[:n], err)
	}
	return n, err
}

// look looks at what a Read of src gave, and leaves in p what is to be passed on.
func (b *body) look(p []byte, err error) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.feed(p)
	b.dropped = b.dropped || n < len(p)
	if err == io.EOF {
		if b.format == nil {
			b.format = b.choose(0)
		}
		b.format.end()
	}
	if b.format == nil {
		return n, err
	}
	r := b.format.read()
	if r.progress {
		r.progress = false
		b.call.ex.Progress()
	}
	if r.fault != faultless {
		err = b.call.failure(r)
	}
	return n, err
}

func (b *body) feed(p []byte) (n int) {
	if b.format == nil {
		blank := 0
		for blank < len(p) && isBlank(p[blank]) {
			blank++
		}
		if n = blank; b.trims {
			n, p = 0, p[:copy(p, p[blank:])]
		}
		if n == len(p) {
			return n
		}
		b.format = b.choose(p[n])
	}
	return n + b.format.feed(p[n:])
}

// hold reads ahead until the answer begins. It returns false if the request's
// context ended before. The reading goroutine ends with its Read, which the
// body's Close or the context ends at the latest.
func (b *body) hold(limit int, within time.Duration) bool {
	b.reading = make(chan struct{})
	go b.readAhead(limit)
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-b.reading:
	case <-timer.C:
		b.late.Store(true)
	case <-b.call.ex.Done():
		b.late.Store(true)
		_ = b.src.Close()
		return false
	}
	return true
}

const firstRead = 4096

func (b *body) readAhead(limit int) {
	defer close(b.reading)
	buf := make([]byte, 0, min(firstRead, limit))
	for b.ended == nil && len(buf) < limit && !b.late.Load() && !b.began() {
		if len(buf) == cap(buf) {
			buf = append(make([]byte, 0, min(2*cap(buf), limit)), buf...)
		}
		n, err := b.src.Read(buf[len(buf):cap(buf)])
		n, err = b.look(buf[len(buf):len(buf)+n], err)
		buf, b.ended = buf[:len(buf)+n], err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ahead = buf
}

func (b *body) began() bool { return b.format != nil && b.format.read().ready }

// isAhead tells whether reading ahead is over.
func (b *body) isAhead() bool {
	select {
	case <-b.reading:
		return true
	default:
		return false
	}
}

// settle counts the answer, once.
func (b *body) settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settled {
		return
	}
	b.settled = true
	if b.format != nil {
		b.call.settle(b.format.read(), len(b.ahead) == 0)
	}
}

// isEmpty tells whether a response has no body for certain.
func isEmpty(resp *http.Response) bool {
	return resp.Body == nil || resp.Body == http.NoBody
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
