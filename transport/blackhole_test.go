package transport_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// holeConn swallows everything once its network is gone.
type holeConn struct {
	net.Conn
	gone   *atomic.Bool
	closed chan struct{}
	once   sync.Once
}

func (c *holeConn) Write(p []byte) (int, error) {
	if c.gone.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *holeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.gone.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *holeConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func TestDeadHTTP2ConnectionIsReplaced(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var first atomic.Bool
	var dials atomic.Int32
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		gone := &first
		if dials.Add(1) > 1 {
			gone = new(atomic.Bool) // the network is back for new connections
		}
		return &holeConn{Conn: c, gone: gone, closed: make(chan struct{})}, nil
	}
	cfg := transport.DefaultConfig()
	cfg.HTTP2PingAfter, cfg.HTTP2PingTimeout = 50*time.Millisecond, 50*time.Millisecond
	tr := newTransport(t, cfg, trusts(up), transport.WithDial(dial))
	_, _, err := get(t.Context(), tr, up.URL)
	require.NoError(t, err)

	first.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.Eventually(t, func() bool {
		body, _, err := get(ctx, tr, up.URL)
		return err == nil && body == "ok"
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, ctx.Err())
	require.EqualValues(t, 2, up.conns.Load())
}
