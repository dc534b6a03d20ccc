package transport

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
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
	to    destination
	lane  *lane // the same as to.lane
	born  time.Time
	ip    netip.Addr   // that was dialed; not valid for a unix socket
	among []netip.Addr // what the name resolved to at that time
	times dialTimes
	http2 atomic.Bool // it has agreed on HTTP/2, which serves all requests

	counted bool // among its lane's shared; guarded by set.mu

	// For an HTTP/2 connection that was opened ahead.
	stage   atomic.Int32
	settled chan struct{} // closed when it isn't offered any more
}

// The stages of an HTTP/2 connection that was opened ahead.
const (
	ordinary int32 = iota // it has served a request, like others from the start, or is closed
	offered               // to net/http, which takes it or closes it
	waiting               // in net/http's pool for its first request
)

// dialTimes is what opening a connection has taken.
type dialTimes struct{ resolve, connect, handshake time.Duration }

func newConnSet() *connSet { return &connSet{open: make(map[*conn]struct{})} }

// add takes a fresh connection in, or closes it if the set is closed.
func (s *connSet) add(c *conn) error {
	c.set = s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.Conn.Close()
		return ErrClosed
	}
	s.open[c] = struct{}{}
	return nil
}

// share counts an HTTP/2 connection as one that requests can share.
func (s *connSet) share(c *conn) {
	c.http2.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[c]; open {
		c.counted = true
		c.lane.shared.open.Add(1)
	}
}

func (s *connSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// lanes returns the lanes that have open connections.
func (s *connSet) lanes() []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[*lane]bool)
	for c := range s.open {
		seen[c.lane] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// to returns the open connections to a host, of all its lanes.
func (s *connSet) to(h *host) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*conn
	for c := range s.open {
		if c.lane.host == h {
			list = append(list, c)
		}
	}
	return list
}

// leading returns how many connections lead to a destination, and whether one of
// them speaks HTTP/2.
func (s *connSet) leading(to destination) (n int, http2 bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.to == to {
			n++
			http2 = http2 || c.http2.Load()
		}
	}
	return n, http2
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

// Read is called by net/http as soon as it has taken a connection.
func (c *conn) Read(b []byte) (int, error) {
	if c.stage.Load() == offered && c.stage.CompareAndSwap(offered, waiting) {
		close(c.settled)
	}
	return c.Conn.Read(b)
}

// leave makes the connection one like others, and returns the stage that it was in.
func (c *conn) leave() int32 {
	was := c.stage.Swap(ordinary)
	if was == offered {
		close(c.settled)
	}
	return was
}

// Close closes the connection and forgets it. One that ends unused would stay in
// net/http's pool for five seconds, in the way of new ones, and fail the next
// request so that somebody learns of it. Nobody waits for one that was opened
// ahead, so its lane is given up.
func (c *conn) Close() error {
	if c.leave() == waiting {
		c.lane.giveUp()
	}
	c.set.mu.Lock()
	if _, open := c.set.open[c]; open && c.counted {
		c.lane.shared.open.Add(-1)
	}
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
