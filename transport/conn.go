package transport

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// connSet knows every open connection, so that stopping can wait for them and
// in the end cut them. net/http does not tell.
type connSet struct {
	mu     sync.Mutex
	open   map[*conn]struct{}
	closed bool
}

// conn is a TCP connection that leaves its set when it is closed.
type conn struct {
	net.Conn
	set   *connSet
	host  string      // host:port that was dialed
	http2 atomic.Bool // TLS above it has agreed on HTTP/2
}

func newConnSet() *connSet { return &connSet{open: make(map[*conn]struct{})} }

// add takes a fresh connection in, or closes it if the set is closed.
func (s *connSet) add(raw net.Conn, host string) (*conn, error) {
	c := &conn{Conn: raw, set: s, host: host}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		raw.Close()
		return nil, ErrClosed
	}
	s.open[c] = struct{}{}
	return c, nil
}

func (s *connSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// speaksHTTP2 reports whether an HTTP/2 connection to host is open.
func (s *connSet) speaksHTTP2(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.host == host && c.http2.Load() {
			return true
		}
	}
	return false
}

// closeAll cuts every connection and refuses new ones.
func (s *connSet) closeAll() {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = make(map[*conn]struct{})
	s.mu.Unlock()
	for c := range open {
		c.Conn.Close()
	}
}

// Close closes the connection and forgets it.
func (c *conn) Close() error {
	c.set.mu.Lock()
	delete(c.set.open, c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}

// ReadFrom keeps the kernel's way of sending a file, which net/http uses for
// request bodies.
func (c *conn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

// CloseWrite ends one direction of an upgraded connection.
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}
