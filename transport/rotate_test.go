package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// cluster is a network in memory with a server at every address. A request is
// answered with the address that it has reached.
type cluster struct {
	http2 bool
	mu    sync.Mutex
	dead  map[string]bool // addresses that take no new connections
	dials []string
	open  map[string]int // connections, by address
	hole  atomic.Bool    // the first connection swallows everything
	holed int
	all   []*http.Server
	wg    sync.WaitGroup
}

func (c *cluster) dial(_ context.Context, network, addr string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dials = append(c.dials, addr)
	if c.dead[addr] {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	if c.open == nil {
		c.open = map[string]int{}
	}
	here, there := net.Pipe()
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!c.http2)
	protocols.SetUnencryptedHTTP2(c.http2)
	srv := &http.Server{Protocols: protocols, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.(http.Flusher).Flush()
			time.Sleep(time.Hour)
		}
		io.WriteString(w, addr)
	})}
	srv.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			c.mu.Lock()
			c.open[addr]--
			c.mu.Unlock()
		}
	}
	c.open[addr]++
	c.all = append(c.all, srv)
	once := &onceListener{conn: there, closed: make(chan struct{})}
	c.wg.Go(func() { _ = srv.Serve(once) })
	if c.holed++; c.holed == 1 {
		return &holeConn{Conn: here, gone: &c.hole, closed: make(chan struct{})}, nil
	}
	return here, nil
}

func (c *cluster) conns(addr string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open[addr]
}

func (c *cluster) dialed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.dials)
}

func (c *cluster) close() {
	for _, s := range c.all {
		s.Close()
	}
	c.wg.Wait()
}

// onceListener accepts one connection.
type onceListener struct {
	mu     sync.Mutex
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *onceListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	l.mu.Unlock()
	if c != nil {
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *onceListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *onceListener) Addr() net.Addr { return &net.TCPAddr{} }

// recorder keeps events.
type recorder struct {
	mu  sync.Mutex
	all []transport.Event
}

func (r *recorder) add(e transport.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

func (r *recorder) of(kind string) []transport.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []transport.Event
	for _, e := range r.all {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

// rig is a transport over a cluster, in a bubble.
type rig struct {
	*transport.Transport
	*cluster
	dns    *fakeDNS
	events recorder
}

func newRig(t *testing.T, http2 bool, change func(*transport.Config), addrs ...string) *rig {
	r := &rig{cluster: &cluster{http2: http2}, dns: new(fakeDNS)}
	r.dns.set(nil, "a.test", addrs...)
	cfg := transport.DefaultConfig()
	cfg.H2C = http2
	if change != nil {
		change(&cfg)
	}
	tr, err := transport.New(cfg, transport.WithResolver(r.dns), transport.WithDial(r.dial), transport.WithProxy(nil), transport.WithEvents(r.events.add))
	require.NoError(t, err)
	r.Transport = tr
	return r
}

func (r *rig) stop(t *testing.T) {
	require.NoError(t, r.Transport.Close())
	r.cluster.close()
}

// ask does a request and returns the address that served it.
func (r *rig) ask(t *testing.T) string {
	t.Helper()
	body, _, err := get(t.Context(), r, "http://a.test/")
	require.NoError(t, err)
	return strings.TrimSuffix(body, ":80")
}

func inBubbles(t *testing.T, f func(t *testing.T, http2 bool)) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP2=%v", http2), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, http2) })
		})
	}
}

func TestABusyConnectionFollowsItsNameWithinARefreshInterval(t *testing.T) {
	inBubbles(t, func(t *testing.T, http2 bool) {
		r := newRig(t, http2, nil, "10.0.0.1")
		defer r.stop(t)
		begun := time.Now()
		var changed, moved time.Duration
		for range 600 {
			switch from := r.ask(t); {
			case changed == 0 && time.Since(begun) >= 20*time.Second:
				r.dns.set(nil, "a.test", "10.0.0.2")
				changed = time.Since(begun)
			case moved == 0 && from == "10.0.0.2":
				moved = time.Since(begun)
			case moved != 0:
				require.Equal(t, "10.0.0.2", from)
			}
			time.Sleep(100 * time.Millisecond)
		}
		require.NotZero(t, moved)
		require.LessOrEqual(t, moved-changed, 24*time.Second+100*time.Millisecond)
		require.Zero(t, r.conns("10.0.0.1:80"), "the old connection is closed")
		require.Equal(t, 1, r.conns("10.0.0.2:80"))
		require.Equal(t, 2, r.dialed())

		rotated := r.events.of(transport.EventRotated)
		require.Len(t, rotated, 1)
		require.Equal(t, "addresses", rotated[0].Reason)
		require.Equal(t, "a.test:80", rotated[0].Host)
		require.Equal(t, 1, rotated[0].Conns)
		require.EqualValues(t, 1, r.Stats().Connections.Rotations)
	})
}

func TestAnAddressThatIsAddedTakesItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, nil, "10.0.0.1")
		defer r.stop(t)
		require.NoError(t, r.Warm(t.Context(), "http://a.test", 4))
		r.ask(t)
		r.dns.set(nil, "a.test", "10.0.0.1", "10.0.0.2")
		time.Sleep(25 * time.Second)
		require.Equal(t, 2, r.conns("10.0.0.1:80"))
		require.Equal(t, 2, r.conns("10.0.0.2:80"))
	})
}

func TestAStreamInProgressOutlivesTheRotation(t *testing.T) {
	inBubbles(t, func(t *testing.T, http2 bool) {
		r := newRig(t, http2, nil, "10.0.0.1")
		defer r.stop(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://a.test/slow", nil)
		require.NoError(t, err)
		resp, err := r.RoundTrip(req)
		require.NoError(t, err)
		r.dns.set(nil, "a.test", "10.0.0.2")
		time.Sleep(25 * time.Second)
		require.Equal(t, "10.0.0.2", r.ask(t), "new requests go elsewhere")
		require.Equal(t, 1, r.conns("10.0.0.1:80"))
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "10.0.0.1:80", string(body))
		time.Sleep(time.Second)
		require.Zero(t, r.conns("10.0.0.1:80"), "it is closed when it has ended")
	})
}

func TestNewAddressesThatDoNotAnswerLeaveTheOldConnectionsInUse(t *testing.T) {
	inBubbles(t, func(t *testing.T, http2 bool) {
		r := newRig(t, http2, nil, "10.0.0.1")
		defer r.stop(t)
		r.dead = map[string]bool{"10.0.0.2:80": true}
		r.ask(t)
		r.dns.set(nil, "a.test", "10.0.0.2")
		for range 100 {
			time.Sleep(time.Second)
			require.Equal(t, "10.0.0.1", r.ask(t))
		}
		require.NotEmpty(t, r.events.of(transport.EventNotRotated))
		r.mu.Lock()
		r.dead = nil
		r.mu.Unlock()
		for range 100 {
			time.Sleep(time.Second)
			r.ask(t)
		}
		require.Equal(t, "10.0.0.2", r.ask(t))
	})
}

// As content networks and object stores answer.
func TestANameWithOtherAddressesEachTimeIsFollowedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, func(c *transport.Config) { c.MaxConnAge = 0 }, "10.0.0.0")
		defer r.stop(t)
		const minutes = 60
		for i := range minutes * 6 {
			r.dns.set(nil, "a.test", fmt.Sprintf("10.0.%d.%d", i/250+1, i%250))
			r.ask(t)
			time.Sleep(10 * time.Second)
		}
		rotated := len(r.events.of(transport.EventRotated))
		t.Logf("%d rotations in %d minutes", rotated, minutes)
		require.Greater(t, rotated, 2)
		require.Less(t, rotated, 12, "every 24s would be 150")
	})
}

func TestAConnectionIsReplacedBeforeItIsTooOld(t *testing.T) {
	inBubbles(t, func(t *testing.T, http2 bool) {
		r := newRig(t, http2, func(c *transport.Config) { c.MaxConnAge = time.Minute }, "10.0.0.1")
		defer r.stop(t)
		for range 60 {
			r.ask(t)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second) // the old one, if it was replaced just now, is closed a moment later
		rotated := r.events.of(transport.EventRotated)
		require.Len(t, rotated, 1)
		require.Equal(t, "age", rotated[0].Reason)
		require.Equal(t, 1, r.conns("10.0.0.1:80"))
		connected := r.events.of(transport.EventConnected)
		require.Len(t, connected, 2)
		require.True(t, connected[1].Warmed, "no request waited for it")
	})
}

func TestNobodyLooksAfterAHostWithoutConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, nil, "10.0.0.1")
		defer r.stop(t)
		r.ask(t)
		time.Sleep(time.Hour)
		require.Zero(t, r.Stats().Connections.Open)
		require.LessOrEqual(t, r.dns.count(), 3, "the name is left alone")
	})
}

func TestHostsAreBoundedAndTheOneUnusedForLongestGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, func(c *transport.Config) { c.Resolver.MaxHosts = 2 }, "10.0.0.1")
		defer r.stop(t)
		for _, host := range []string{"10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"} {
			_, _, err := get(t.Context(), r, "http://"+host)
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.Equal(t, 1, r.conns("10.0.0.1:80"))
		require.Zero(t, r.conns("10.0.0.2:80"))
		require.Equal(t, 1, r.conns("10.0.0.3:80"))
	})
}

func TestIdleConnectionsOfOtherHostsGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, false, func(c *transport.Config) { c.MaxIdleConns, c.MaxIdleConnsPerHost = 2, 2 }, "10.0.0.1")
		defer r.stop(t)
		for i := range 10 {
			_, _, err := get(t.Context(), r, fmt.Sprintf("http://10.0.0.%d", i+1))
			require.NoError(t, err)
			time.Sleep(time.Second)
		}
		require.LessOrEqual(t, r.Stats().Connections.Open, 3)
		require.Equal(t, 1, r.conns("10.0.0.10:80"))
		require.Equal(t, 1, r.conns("10.0.0.9:80"))
	})
}

// Real servers at two addresses of loopback, a real DNS server, and callers that
// do not stop: POSTs whose body can't be sent twice, so that nothing may be lost.
func TestAddressesChangeUnderLoadAndNoRequestFails(t *testing.T) {
	for _, p := range []protocol{http1TLS, http2} {
		t.Run(string(p), func(t *testing.T) {
			one, other := serveAt(t, p, "127.0.0.2:0"), (*server)(nil)
			_, port, err := net.SplitHostPort(one.Listener.Addr().String())
			require.NoError(t, err)
			other = serveAt(t, p, "127.0.0.3:"+port)
			dns := startDNS(t)
			dns.set("example.com", "127.0.0.2")
			cfg := dns.asks(200 * time.Millisecond)
			tr := newTransport(t, cfg, trusts(one))

			var stop atomic.Bool
			var sent, failed atomic.Int64
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for !stop.Load() {
						req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://example.com:"+port, io.MultiReader(strings.NewReader("once")))
						resp, err := tr.RoundTrip(req)
						sent.Add(1)
						if err != nil {
							failed.Add(1)
							t.Error(err)
							continue
						}
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				})
			}
			for turn, at := range []string{"127.0.0.3", "127.0.0.2", "127.0.0.3"} {
				from, to := one, other
				if turn == 1 {
					from, to = other, one
				}
				dns.set("example.com", at)
				begun := time.Now()
				before := to.requests.Load()
				require.Eventually(t, func() bool { return to.requests.Load() > before+20 }, 10*time.Second, time.Millisecond)
				took := time.Since(begun)
				require.Eventually(t, func() bool { return from.open.Load() == 0 }, 10*time.Second, time.Millisecond, "the old ones are closed")
				t.Logf("turn %d: traffic moved after %v; the refresh interval is %v", turn, took, 160*time.Millisecond)
			}
			stop.Store(true)
			wg.Wait()
			require.Zero(t, failed.Load())
			t.Logf("%d requests, %d failed", sent.Load(), failed.Load())
		})
	}
}
