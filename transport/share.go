package transport

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// shared is how requests that find no HTTP/2 connection wait for one dial. net/http
// dials for each of them, and closes all connections but one: a burst of a
// thousand after a loss means a thousand handshakes for an upstream that has just
// come back. It is only for hosts that are known to speak HTTP/2, because with
// HTTP/1.1 each request needs a connection of its own.
type shared struct {
	open atomic.Int32 // HTTP/2 connections of the lane

	mu   sync.Mutex
	dial *dial // in progress; nil if none is
}

type dial struct {
	done chan struct{}
	err  error // read after done
}

// await sees that a request finds a connection, if it can share one. The error is
// that of the dial; when the request's own context ends, net/http says so.
func (l *lane) await(req *http.Request) error {
	if l.shared.open.Load() > 0 || !l.host.http2.Load() || l.adopt == nil || needsHTTP1(req) {
		return nil
	}
	to, proxied, err := l.t.route(req.Context(), l, req.URL)
	if err != nil || proxied {
		return nil // net/http's to tell, and to do
	}
	d := l.joinDial(to)
	if d == nil {
		return nil
	}
	select {
	case <-d.done:
		return d.err
	case <-req.Context().Done():
		return nil
	}
}

// joinDial joins the dial in progress or starts one, which is nobody's context's
// to end; nil while the transport is being stopped.
func (l *lane) joinDial(to destination) *dial {
	s := &l.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dial != nil || s.open.Load() > 0 {
		return s.dial
	}
	d := &dial{done: make(chan struct{})}
	if l.t.tasks.run(func() {
		_, d.err = l.t.open(l.t.tasks.ctx, to, false)
		s.mu.Lock()
		s.dial = nil
		s.mu.Unlock()
		close(d.done)
	}) {
		s.dial = d
	}
	return s.dial
}
