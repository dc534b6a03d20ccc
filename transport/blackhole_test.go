package transport_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// A network in memory, so that the default settings' times are exact.
func TestBlackHoledHTTP2ConnectionIsGoneWithinThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, nil, "10.0.0.1")
		defer r.stop(t)
		r.ask(t)
		r.hole.Store(true)
		begun := time.Now()
		_, _, err := get(t.Context(), r, "http://a.test/")
		require.Error(t, err)
		require.Equal(t, 25*time.Second, time.Since(begun), "15s without a word, 10s without an answer to the PING")
		require.Equal(t, "10.0.0.1", r.ask(t), "requests go on")
		require.Equal(t, 2, r.dialed())
	})
}

func TestH2CConnectionStaysWhileItIsUsedAndIsClosedWhenItIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, true, func(c *transport.Config) { c.MaxConnAge = 0 }, "10.0.0.1")
		defer r.stop(t)
		for range 300 {
			r.ask(t)
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, r.dialed())
		time.Sleep(56 * time.Second)
		require.Zero(t, r.Stats().Connections.Open)
		r.ask(t)
		require.Equal(t, 2, r.dialed())
	})
}
