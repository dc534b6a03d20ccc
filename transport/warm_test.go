package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// atOnce sends n requests that the server holds until all are there.
func atOnce(t *testing.T, tr http.RoundTripper, url string, n int) (proto string) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			_, p, err := get(t.Context(), tr, url)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			proto = p
			mu.Unlock()
		})
	}
	wg.Wait()
	return proto
}

func TestWarmedConnectionsServeTheFirstRequests(t *testing.T) {
	for _, tc := range []struct {
		protocol protocol
		conns    int64
		proto    string
	}{
		{http1, 4, "HTTP/1.1"},
		{http1TLS, 4, "HTTP/1.1"},
		{http2, 1, "HTTP/2.0"},
	} {
		t.Run(string(tc.protocol), func(t *testing.T) {
			up := serve(t, tc.protocol, barrier(4))
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))

			require.NoError(t, tr.Warm(t.Context(), up.URL, 4))
			require.Zero(t, up.requests.Load(), "warming sends no request")
			require.Equal(t, tc.proto, atOnce(t, tr, up.URL, 4))
			require.Equal(t, tc.conns, up.conns.Load(), "no connection beyond the warmed ones")
			require.EqualValues(t, 4, up.requests.Load())

			atOnce(t, tr, up.URL, 4)
			require.Equal(t, tc.conns, up.conns.Load(), "they stay in the pool")
		})
	}
}

func TestWarmAgainOpensOnlyWhatIsMissing(t *testing.T) {
	for _, tc := range []struct {
		protocol protocol
		want     []int64
	}{
		{http1, []int64{2, 2, 5}},
		{http1TLS, []int64{2, 2, 5}},
		{http2, []int64{1, 1, 1}},
	} {
		t.Run(string(tc.protocol), func(t *testing.T) {
			up := serve(t, tc.protocol, text("ok"))
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			for i, n := range []int{2, 2, 5} {
				require.NoError(t, tr.Warm(t.Context(), up.URL, n))
				require.Eventually(t, func() bool { return up.conns.Load() == tc.want[i] }, 5*time.Second, time.Millisecond)
			}
			_, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err)
			require.Equal(t, tc.want[2], up.conns.Load())
		})
	}
}

func TestWarmedHandshakeIsNotPaidByTheRequest(t *testing.T) {
	up := serve(t, http1TLS, text("ok"))
	tr := newTransport(t, transport.DefaultConfig(), trusts(up))
	require.NoError(t, tr.Warm(t.Context(), up.URL, 1))
	connects := 0
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		ConnectStart: func(string, string) { connects++ },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, up.URL, nil)
	require.NoError(t, err)
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	resp.Body.Close()
	require.Zero(t, connects)
	require.NotNil(t, resp.TLS, "the TLS state is the request's to see")
	require.True(t, resp.TLS.HandshakeComplete)
}

// net/http keeps a connection that ends before its first request for five seconds,
// for the next request to fail with it.
func TestUnusedHTTP2ConnectionThatHasEndedFailsNoRequest(t *testing.T) {
	for name, end := range map[string]func(*server, *transport.Transport){
		"by the server": func(up *server, _ *transport.Transport) { up.CloseClientConnections() },
		"by the client": func(_ *server, tr *transport.Transport) { tr.CloseIdleConnections() },
	} {
		t.Run(name, func(t *testing.T) {
			up := serve(t, http2, text("ok"))
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			warm := func() {
				require.NoError(t, tr.Warm(t.Context(), up.URL, 1))
				require.Equal(t, 1, tr.Stats().Connections.Open)
			}
			ended := func() {
				end(up, tr)
				require.Eventually(t, func() bool { return tr.Stats().Connections.Open == 0 }, 5*time.Second, time.Millisecond)
			}
			warm()
			ended()
			warm()
			ended()
			body, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err)
			require.Equal(t, "ok", body)
		})
	}
}

func TestSpareThatTheServerClosedIsNotUsed(t *testing.T) {
	for _, p := range []protocol{http1, http1TLS} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, text("ok"))
			var closed atomic.Int32
			dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return closeCounter{c, &closed}, err
			}
			tr := newTransport(t, transport.DefaultConfig(), trusts(up), transport.WithDial(dial))
			require.NoError(t, tr.Warm(t.Context(), up.URL, 3))
			require.Eventually(t, func() bool { return up.conns.Load() == 3 }, 5*time.Second, time.Millisecond)
			up.CloseClientConnections()
			require.Eventually(t, func() bool { return closed.Load() == 3 }, 5*time.Second, time.Millisecond,
				"they do not linger")

			body, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err, "a POST would have failed on a dead connection")
			require.Equal(t, "ok", body)
			require.EqualValues(t, 4, up.conns.Load())
		})
	}
}

type closeCounter struct {
	net.Conn
	closed *atomic.Int32
}

func (c closeCounter) Close() error {
	c.closed.Add(1)
	return c.Conn.Close()
}

func TestSpareIsDroppedWhenTheServerSpeaksOutOfTurnOrItsTimeIsOver(t *testing.T) {
	for name, end := range map[string]func(there net.Conn){
		"speaks out of turn": func(there net.Conn) { there.Write([]byte("HTTP/1.1 408 Request Timeout\r\n\r\n")) },
		"hangs up":           func(there net.Conn) { there.Close() },
		"idle_conn_timeout":  func(net.Conn) { time.Sleep(55 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var there net.Conn
				dial := func(context.Context, string, string) (c net.Conn, err error) {
					c, there = net.Pipe()
					return c, nil
				}
				tr, err := transport.New(transport.DefaultConfig(), transport.WithDial(dial))
				require.NoError(t, err)
				defer tr.Close()
				require.NoError(t, tr.Warm(t.Context(), "http://127.0.0.1", 1))
				first := there
				end(there)
				synctest.Wait()
				_, err = first.Write([]byte("x"))
				require.Error(t, err, "the client has hung up")
				require.NoError(t, tr.Warm(t.Context(), "http://127.0.0.1", 1))
				require.NotSame(t, first, there, "a new one takes its place")
			})
		})
	}
}

func TestSpareLivesUpToTheIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := new(wire)
		tr, err := transport.New(transport.DefaultConfig(), transport.WithDial(w.dial))
		require.NoError(t, err)
		defer tr.Close()
		require.NoError(t, tr.Warm(t.Context(), "http://127.0.0.1", 1))
		time.Sleep(55*time.Second - 1)
		_, _, err = get(t.Context(), tr, "http://127.0.0.1/")
		require.NoError(t, err)
		require.Len(t, w.tried(), 1)
		time.Sleep(54 * time.Second)
		_, _, err = get(t.Context(), tr, "http://127.0.0.1/")
		require.NoError(t, err)
		require.Len(t, w.tried(), 1, "the watcher's deadline went with the watcher")
	})
}

func TestWarmSaysWhichHostFailedAtWhichPhase(t *testing.T) {
	plain := serve(t, http1, text("ok"))
	secure := serve(t, http1TLS, text("ok"))
	noDNS := new(fakeDNS)
	noDNS.set(errors.New("DNS is down"), "a.test")
	for name, tc := range map[string]struct {
		host  string
		phase transport.Phase
		at    string
	}{
		"no address":            {"a.test", transport.PhaseResolve, "a.test:443"},
		"nobody listens":        {"http://127.0.0.1:1", transport.PhaseConnect, "127.0.0.1:1"},
		"not TLS":               {plain.Listener.Addr().String(), transport.PhaseHandshake, plain.Listener.Addr().String()},
		"certificate not known": {secure.URL, transport.PhaseHandshake, secure.Listener.Addr().String()},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTransport(t, transport.DefaultConfig(), transport.WithResolver(noDNS), transport.WithProxy(nil))
			err := tr.Warm(t.Context(), tc.host, 2)
			var terr *transport.Error
			require.ErrorAs(t, err, &terr)
			require.Equal(t, tc.phase, terr.Phase)
			require.Equal(t, tc.at, terr.Host)
			require.ErrorContains(t, err, string(tc.phase)+" "+tc.at)
		})
	}
}

func TestWarmRefusesWhatIsNoHostAndWhatCouldNotStay(t *testing.T) {
	tr := newTransport(t, transport.DefaultConfig())
	for host, want := range map[string]string{
		"":                      "the host is not one",
		"https://":              "the host is not one",
		"a b":                   "the host is not one",
		"ftp://a.test":          "must be http or https",
		"bücher.test":           "ASCII",
		"https://me:pw@a b/x?k": "the host is not one",
	} {
		err := tr.Warm(t.Context(), host, 1)
		require.ErrorContains(t, err, want, host)
		require.NotContains(t, err.Error(), "pw")
	}
	require.ErrorContains(t, tr.Warm(t.Context(), "a.test", -1), "from 0 to 256")
	require.ErrorContains(t, tr.Warm(t.Context(), "a.test", 257), "max_idle_conns_per_host")
}

func TestWarmWithoutConnectionsResolvesOnly(t *testing.T) {
	dns := new(fakeDNS)
	dns.set(nil, "a.test", "127.0.0.1")
	w := new(wire)
	tr := newTransport(t, transport.DefaultConfig(), transport.WithResolver(dns), transport.WithDial(w.dial), transport.WithProxy(nil))
	require.NoError(t, tr.Warm(t.Context(), "a.test", 0))
	require.Equal(t, 1, dns.count())
	require.Empty(t, w.tried())
}

func TestWarmEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, dial := range map[string]transport.DialFunc{
			"while it connects": (&wire{silent: set("127.0.0.1:443")}).dial,
			"while it shakes hands": func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe()
				t.Cleanup(func() { there.Close() })
				return here, nil
			},
		} {
			tr, err := transport.New(transport.DefaultConfig(), transport.WithDial(dial))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			begin := time.Now()
			require.ErrorIs(t, tr.Warm(ctx, "127.0.0.1", 3), context.DeadlineExceeded, name)
			require.Equal(t, time.Second, time.Since(begin), name)
			cancel()
			require.NoError(t, tr.Close())
		}
	})
}

// Over a real socket: two goroutines wait on crypto/tls's handshake lock, and a
// bubble's clock does not advance while anybody waits for a lock.
func TestHandshakeThatHangsEndsWithItsTimeout(t *testing.T) {
	hole, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, never answers
	require.NoError(t, err)
	defer hole.Close()
	cfg := transport.DefaultConfig()
	cfg.TLSHandshakeTimeout = 100 * time.Millisecond
	tr := newTransport(t, cfg)
	begin := time.Now()
	_, _, err = get(t.Context(), tr, "https://"+hole.Addr().String())
	require.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.NoError(t, tr.Stop(t.Context()))
}

// The time limit of the handshake must not end a connection that is in use.
func TestHandshakeTimeoutEndsWithTheHandshake(t *testing.T) {
	const limit = time.Second // a busy machine has to do a handshake within it
	for _, p := range []protocol{http1TLS, http2} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			up := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					time.Sleep(limit + limit/5)
				}
			}))
			cfg := transport.DefaultConfig()
			cfg.TLSHandshakeTimeout = limit
			tr := newTransport(t, cfg, trusts(up))
			_, _, err := get(t.Context(), tr, up.URL+"/slow")
			require.NoError(t, err)
			_, _, err = get(t.Context(), tr, up.URL)
			require.NoError(t, err)
			require.EqualValues(t, 1, up.conns.Load())
		})
	}
}

func TestMaxIdleConnsBoundsTheSparesOfAllHosts(t *testing.T) {
	cfg := transport.DefaultConfig()
	cfg.MaxIdleConns, cfg.MaxIdleConnsPerHost = 3, 3
	a, b := serve(t, http1, text("a")), serve(t, http1, text("b"))
	tr := newTransport(t, cfg)
	require.NoError(t, tr.Warm(t.Context(), a.URL, 2))
	err := tr.Warm(t.Context(), b.URL, 2)
	require.ErrorContains(t, err, "1 of 2 connections")
	require.ErrorContains(t, err, "max_idle_conns")
}

func TestHTTP2SwitchedOffStaysOff(t *testing.T) {
	up := serve(t, http2, barrier(2))
	cfg := transport.DefaultConfig()
	cfg.HTTP2 = false
	tr := newTransport(t, cfg, trusts(up))
	require.NoError(t, tr.Warm(t.Context(), up.URL, 2))
	require.Equal(t, "HTTP/1.1", atOnce(t, tr, up.URL, 2))
	require.EqualValues(t, 2, up.conns.Load())
}

func TestSecondConnectionResumesItsTLSSession(t *testing.T) {
	up := serve(t, http1TLS, text("ok"))
	tr := newTransport(t, transport.DefaultConfig(), trusts(up))
	var states []tls.ConnectionState
	for range 2 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, up.URL, nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		require.NoError(t, err)
		resp.Body.Close()
		states = append(states, *resp.TLS)
		tr.CloseIdleConnections()
	}
	require.False(t, states[0].DidResume)
	require.True(t, states[1].DidResume)
}

func TestWarmAcceptsTheFormsOfAHost(t *testing.T) {
	for host, want := range map[string]string{
		"192.0.2.1":                       "192.0.2.1:443",
		"192.0.2.1:8443":                  "192.0.2.1:8443",
		"http://192.0.2.1":                "192.0.2.1:80",
		"https://192.0.2.1/v1/chat?key=x": "192.0.2.1:443",
		"2001:db8::1":                     "[2001:db8::1]:443",
		"[2001:db8::1]:8443":              "[2001:db8::1]:8443",
	} {
		w := &wire{refuse: set(want)}
		tr := newTransport(t, transport.DefaultConfig(), transport.WithDial(w.dial), transport.WithProxy(nil))
		err := tr.Warm(t.Context(), host, 1)
		require.Error(t, err)
		require.False(t, strings.Contains(err.Error(), "key=x"))
		require.Equal(t, []string{want}, w.tried(), host)
	}
}
