package fallback

import (
	"io"
	"net/http"
	"sync"

	"github.com/headgate-go/headgate/middleware"
)

// bodies gives the request's body again and again. An answer may ask for it
// from the goroutine of a transport.
type bodies struct {
	mu     sync.Mutex
	replay middleware.Replay
}

func (b *bodies) open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replay.Body()
}

func (b *bodies) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replay.Release()
}

// lazyBody opens the request's body when it is read, so that an answer that
// does not care for it has nothing to close.
type lazyBody struct {
	bodies *bodies

	mu     sync.Mutex
	body   io.ReadCloser
	err    error
	closed bool
}

func (l *lazyBody) Read(p []byte) (int, error) {
	body, err := l.open()
	if err != nil {
		return 0, err
	}
	return body.Read(p)
}

func (l *lazyBody) open() (io.ReadCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, http.ErrBodyReadAfterClose
	case l.body == nil && l.err == nil:
		l.body, l.err = l.bodies.open()
	}
	return l.body, l.err
}

func (l *lazyBody) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.body == nil {
		return nil
	}
	return l.body.Close()
}
