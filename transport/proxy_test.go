package transport_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

// proxyChild tells this test binary to be an application behind a proxy. It must
// be a process of its own: net/http reads the environment once, and never uses a
// proxy for loopback, so the target is a name that nobody can resolve.
const proxyChild = "HEADGATE_TEST_BEHIND_PROXY"

func proxyChildMain() int {
	tr, err := transport.New(transport.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer tr.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := tr.Warm(ctx, "http://upstream.invalid", 2); err != nil {
		fmt.Println(err)
		return 1
	}
	body, _, err := get(ctx, tr, "http://upstream.invalid/hello")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Print(body)
	return 0
}

// forwardProxy answers absolute-form requests itself and counts connections.
func forwardProxy(t *testing.T) (u *url.URL, conns, connects *atomic.Int64) {
	conns, connects = new(atomic.Int64), new(atomic.Int64)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			connects.Add(1)
		}
		fmt.Fprintf(w, "proxied %s", r.URL)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	return u, conns, connects
}

func TestProxyFromTheEnvironmentIsUsedAndWarmed(t *testing.T) {
	proxy, conns, _ := forwardProxy(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), proxyChild+"=1", "HTTP_PROXY="+proxy.String(), "http_proxy=", "NO_PROXY=", "no_proxy=", "REQUEST_METHOD=")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "proxied http://upstream.invalid/hello", string(out))
	require.EqualValues(t, 2, conns.Load(), "the request used a warmed connection")
}

func TestWarmBehindAProxyOpensConnectionsToTheProxyAndSendsNoConnect(t *testing.T) {
	proxy, conns, connects := forwardProxy(t)
	tr := newTransport(t, transport.DefaultConfig(), transport.WithProxy(http.ProxyURL(proxy)))
	require.NoError(t, tr.Warm(t.Context(), "https://upstream.invalid", 3))
	require.Eventually(t, func() bool { return conns.Load() == 3 }, 5*time.Second, time.Millisecond)
	require.Zero(t, connects.Load())
}

func TestTunnelThroughAWarmedProxyConnection(t *testing.T) {
	up := serve(t, http1TLS, text("through the tunnel"))
	proxyURL, conns := connectProxy(t, up.Listener.Addr().String())
	tr := newTransport(t, transport.DefaultConfig(), transport.WithProxy(http.ProxyURL(proxyURL)), trusts(up))
	require.NoError(t, tr.Warm(t.Context(), "example.com", 1))
	body, _, err := get(t.Context(), tr, "https://example.com/")
	require.NoError(t, err)
	require.Equal(t, "through the tunnel", body)
	require.EqualValues(t, 1, conns.Load())
}

func TestProxyPasswordStaysOutOfErrors(t *testing.T) {
	broken := func(*http.Request) (*url.URL, error) { return nil, fmt.Errorf("bad proxy http://me:secret@proxy") }
	tr := newTransport(t, transport.DefaultConfig(), transport.WithProxy(broken))
	err := tr.Warm(t.Context(), "api.example.com", 1)
	require.ErrorContains(t, err, "api.example.com")
	require.NotContains(t, err.Error(), "secret")

	dead := &url.URL{Scheme: "http", User: url.UserPassword("me", "secret"), Host: "127.0.0.1:1"}
	tr = newTransport(t, transport.DefaultConfig(), transport.WithProxy(http.ProxyURL(dead)))
	err = tr.Warm(t.Context(), "api.example.com", 1)
	require.ErrorContains(t, err, "through its proxy: transport: connect 127.0.0.1:1")
	require.NotContains(t, err.Error(), "secret")
}

// A proxy that is spoken to over TLS, and offers HTTP/2 for other uses.
func TestTunnelThroughAWarmedProxyConnectionWithTLS(t *testing.T) {
	up := serve(t, http2, text("through the tunnel"))
	proxyURL, conns := connectProxyTLS(t, up.Listener.Addr().String())
	cfg := transport.DefaultConfig()
	cfg.TLS.ServerName = "example.com" // the upstream's, not the proxy's
	tr := newTransport(t, cfg, transport.WithProxy(http.ProxyURL(proxyURL)), trusts(up))
	require.NoError(t, tr.Warm(t.Context(), "api.test", 2))
	require.EqualValues(t, 2, tr.Stats().Connections.Warm)
	require.EqualValues(t, 2, tr.Stats().Connections.Handshakes, "with the proxy")
	body, proto, err := get(t.Context(), tr, "https://api.test/")
	require.NoError(t, err)
	require.Equal(t, "through the tunnel", body)
	require.Equal(t, "HTTP/2.0", proto)
	require.EqualValues(t, 2, conns.Load(), "a warmed one")
	require.EqualValues(t, 3, tr.Stats().Connections.Handshakes)

	cold := newTransport(t, cfg, transport.WithProxy(http.ProxyURL(proxyURL)), trusts(up))
	body, _, err = get(t.Context(), cold, "https://api.test/")
	require.NoError(t, err)
	require.Equal(t, "through the tunnel", body)
}

// connectProxy opens every tunnel to the same address, whatever name is asked for.
func connectProxy(t *testing.T, to string) (*url.URL, *atomic.Int64) {
	return startProxy(t, to, (*httptest.Server).Start)
}

func connectProxyTLS(t *testing.T, to string) (*url.URL, *atomic.Int64) {
	return startProxy(t, to, func(srv *httptest.Server) {
		srv.EnableHTTP2 = true
		srv.StartTLS()
	})
}

func startProxy(t *testing.T, to string, start func(*httptest.Server)) (*url.URL, *atomic.Int64) {
	conns := new(atomic.Int64)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up, err := net.Dial("tcp", to)
		if r.Method != http.MethodConnect || err != nil {
			http.Error(w, "no tunnel", http.StatusBadGateway)
			return
		}
		defer up.Close()
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer down.Close()
		io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			io.Copy(up, down)
			up.Close()
		}()
		io.Copy(down, up)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of warmed connections that are closed unused
	start(srv)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	require.NoError(t, err)
	return u, conns
}
