package middlewaretest

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// listener counts the connections and keeps those that are open, so that Close reaches the upgraded ones too,
// which the HTTP server has let go of.
type listener struct {
	net.Listener
	rec *recorder

	mu   sync.Mutex
	open map[*conn]struct{}
}

// conn is one accepted connection.
type conn struct {
	net.Conn
	from *listener
	once sync.Once
}

type connKey struct{}

func newListener(inner net.Listener, rec *recorder) *listener {
	return &listener{Listener: inner, rec: rec, open: make(map[*conn]struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: inner, from: l}
	l.mu.Lock()
	l.open[c] = struct{}{}
	l.mu.Unlock()
	l.rec.update(func(s *Stats) { s.Connections++; s.OpenConnections++ })
	return c, nil
}

func (l *listener) closeAll() {
	l.mu.Lock()
	open := make([]*conn, 0, len(l.open))
	for c := range l.open {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.from.rec.received.Add(int64(n))
	return n, err
}

func (c *conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.from.mu.Lock()
		delete(c.from.open, c)
		c.from.mu.Unlock()
		c.from.rec.update(func(s *Stats) { s.OpenConnections-- })
	})
	return err
}

// reset closes the connection so that the client sees a reset, not an end: with a linger of zero the kernel
// sends RST instead of FIN.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// withConn lets a request's context find its connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

func connOf(ctx context.Context) (*conn, bool) {
	c, ok := ctx.Value(connKey{}).(*conn)
	return c, ok
}
