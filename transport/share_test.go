package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// gate is a dial that counts, and waits or fails if it is told to.
type gate struct {
	dials atomic.Int32
	shut  atomic.Pointer[chan struct{}] // dials wait until it is closed
	fails atomic.Bool
}

var errGate = errors.New("no route")

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	g.dials.Add(1)
	if shut := g.shut.Load(); shut != nil {
		select {
		case <-*shut:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if g.fails.Load() {
		return nil, errGate
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// lost gives a transport that has lost its only connection to an HTTP/2 server.
func lost(t *testing.T, up *server, g *gate) *transport.Transport {
	t.Helper()
	tr := newTransport(t, transport.DefaultConfig(), trusts(up), transport.WithDial(g.dial))
	_, _, err := get(t.Context(), tr, up.URL)
	require.NoError(t, err)
	up.CloseClientConnections()
	require.Eventually(t, func() bool { return tr.Stats().Connections.Open == 0 }, 5*time.Second, time.Millisecond)
	return tr
}

// burst sends n requests and returns their errors.
func burst(ctx context.Context, tr http.RoundTripper, url string, n int) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, _, errs[i] = get(ctx, tr, url) })
	}
	wg.Wait()
	return errs
}

func TestABurstAfterALossSharesOneHTTP2Connection(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var g gate
	tr := lost(t, up, &g)
	for _, err := range burst(t.Context(), tr, up.URL, 50) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, g.dials.Load())
	require.EqualValues(t, 51, up.requests.Load())
	require.Equal(t, 1, tr.Stats().Connections.Open)
}

// waited counts who waits for the end of a context.
type waited struct {
	context.Context
	n *atomic.Int32
}

func (w waited) Done() <-chan struct{} {
	w.n.Add(1)
	return w.Context.Done()
}

func TestABurstSharesTheFailureOfADial(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var g gate
	tr := lost(t, up, &g)
	g.fails.Store(true)
	shut := make(chan struct{})
	g.shut.Store(&shut)
	var waiting atomic.Int32
	done := make(chan []error)
	go func() { done <- burst(waited{t.Context(), &waiting}, tr, up.URL, 50) }()
	require.Eventually(t, func() bool { return waiting.Load() == 50 }, 5*time.Second, time.Millisecond)
	close(shut)
	for _, err := range <-done {
		var e *transport.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, errGate)
	}
	require.EqualValues(t, 2, g.dials.Load())

	g.fails.Store(false)
	_, _, err := get(t.Context(), tr, up.URL)
	require.NoError(t, err, "the next request dials again")
}

func TestACallerWhoLeavesDoesNotEndTheDialForOthers(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var g gate
	tr := lost(t, up, &g)
	shut := make(chan struct{})
	g.shut.Store(&shut)
	ctx, leave := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, _, err := get(ctx, tr, up.URL); first <- err }()
	require.Eventually(t, func() bool { return g.dials.Load() == 2 }, 5*time.Second, time.Millisecond)
	others := make(chan []error)
	go func() { others <- burst(t.Context(), tr, up.URL, 5) }()
	leave()
	require.ErrorIs(t, <-first, context.Canceled)
	close(shut)
	for _, err := range <-others {
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, g.dials.Load())
}

// A host that has spoken HTTP/2 may be replaced by one that does not.
func TestABurstGoesOnWhereHTTP2IsGone(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var g gate
	var old, next = up, serve(t, http1TLS, text("older"))
	var moved atomic.Bool
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if moved.Load() {
			addr = next.Listener.Addr().String()
		}
		return g.dial(ctx, network, addr)
	}
	tr := newTransport(t, transport.DefaultConfig(), trusts(up), transport.WithDial(dial))
	_, _, err := get(t.Context(), tr, old.URL)
	require.NoError(t, err)
	old.CloseClientConnections()
	require.Eventually(t, func() bool { return tr.Stats().Connections.Open == 0 }, 5*time.Second, time.Millisecond)
	moved.Store(true)
	for range 2 {
		for _, err := range burst(t.Context(), tr, old.URL, 10) {
			require.NoError(t, err)
		}
	}
	require.EqualValues(t, 20, next.requests.Load())
}

func TestStopEndsASharedDial(t *testing.T) {
	up := serve(t, http2, text("ok"))
	var g gate
	tr := lost(t, up, &g)
	shut := make(chan struct{})
	g.shut.Store(&shut)
	done := make(chan error)
	go func() { _, _, err := get(t.Context(), tr, up.URL); done <- err }()
	require.Eventually(t, func() bool { return g.dials.Load() == 2 }, 5*time.Second, time.Millisecond)
	require.NoError(t, tr.Close())
	require.ErrorIs(t, <-done, transport.ErrClosed)
}
