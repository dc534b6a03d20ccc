package middlewaretest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// spyBodies are request bodies that know whether they were closed: the first one, and those from GetBody.
type spyBodies struct {
	data   []byte
	mu     sync.Mutex
	opened int
	closed int
	change chan struct{} // one slot; sent to at each close
}

func newSpyBodies(data []byte) *spyBodies {
	return &spyBodies{data: data, change: make(chan struct{}, 1)}
}

// body opens one more body.
func (s *spyBodies) body() io.ReadCloser {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	return &spyBody{spies: s, r: bytes.NewReader(s.data)}
}

// on gives req a spied body, with or without GetBody.
func (s *spyBodies) on(req *http.Request, replayable bool) *http.Request {
	req.Body = s.body()
	req.ContentLength = int64(len(s.data))
	if replayable {
		req.GetBody = func() (io.ReadCloser, error) { return s.body(), nil }
	}
	return req
}

// awaitClosed waits until every body is closed: net/http may close one shortly after RoundTrip has returned.
func (s *spyBodies) awaitClosed(within time.Duration) (opened, closed int) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		s.mu.Lock()
		opened, closed = s.opened, s.closed
		s.mu.Unlock()
		if opened == closed {
			return opened, closed
		}
		select {
		case <-s.change:
		case <-timer.C:
			return opened, closed
		}
	}
}

type spyBody struct {
	spies  *spyBodies
	mu     sync.Mutex
	r      *bytes.Reader
	closed bool
}

func (b *spyBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.r.Read(p)
}

// Close may be called more than once, as net/http does; it counts once.
func (b *spyBody) Close() error {
	b.mu.Lock()
	first := !b.closed
	b.closed = true
	b.mu.Unlock()
	if first {
		b.spies.mu.Lock()
		b.spies.closed++
		b.spies.mu.Unlock()
		select {
		case b.spies.change <- struct{}{}:
		default:
		}
	}
	return nil
}

// mustBeClosed fails the check unless every body is closed.
func (s *spyBodies) mustBeClosed(tb testing.TB, path string, within time.Duration) {
	tb.Helper()
	if opened, closed := s.awaitClosed(within); opened != closed {
		tb.Fatalf("%s: %d of %d request bodies were closed", path, closed, opened)
	}
}

// swap is a base that can be exchanged in use.
type swap struct {
	now atomic.Pointer[http.RoundTripper]
}

func newSwap(rt http.RoundTripper) *swap {
	s := new(swap)
	s.set(rt)
	return s
}

func (s *swap) set(rt http.RoundTripper) { s.now.Store(&rt) }

func (s *swap) RoundTrip(req *http.Request) (*http.Response, error) {
	return (*s.now.Load()).RoundTrip(req)
}

// refusedBase is a plain transport to a port where nobody listens.
func refusedBase(tb testing.TB) *http.Transport {
	t := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}}
	tb.Cleanup(t.CloseIdleConnections)
	return t
}

// failing is a base that closes the body, as it must, and returns err.
func failing(err error) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	})
}

// pattern makes n bytes in which a shift, a gap or a repetition shows.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223 // Numerical Recipes' generator: its high byte does not repeat in 2^32 steps
		p[i] = byte(x >> 24)
	}
	return p
}
