package transport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/transport"
)

func TestMain(m *testing.M) {
	if os.Getenv(proxyChild) != "" {
		os.Exit(proxyChildMain())
	}
	goleak.VerifyTestMain(m)
}

// fakeDNS answers with what it is told, and counts. A name's two families count
// as one lookup.
type fakeDNS struct {
	mu      sync.Mutex
	answers map[string][]string
	err     error
	asked   int
	gate    chan struct{} // if not nil, lookups wait for it (or for their context)
}

func (f *fakeDNS) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	f.mu.Lock()
	if network != "ip6" {
		f.asked++
	}
	err, answer, gate := f.err, f.answers[host], f.gate
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range answer {
		if addr := netip.MustParseAddr(a); network == "ip" || addr.Is4() == (network == "ip4") {
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}

func (f *fakeDNS) set(err error, host string, addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	if f.answers == nil {
		f.answers = map[string][]string{}
	}
	f.answers[host] = addrs
}

func (f *fakeDNS) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// server is a loopback server that counts connections and requests.
type server struct {
	*httptest.Server
	conns, requests, open atomic.Int64 // open: connections now
}

type protocol string

const (
	http1    protocol = "HTTP/1.1"
	http1TLS protocol = "HTTP/1.1 over TLS"
	http2    protocol = "HTTP/2"
)

func serve(t *testing.T, p protocol, h http.Handler) *server {
	t.Helper()
	s := newServer(p, h)
	s.start(t, p)
	return s
}

// serveAt serves at an address of its own.
func serveAt(t *testing.T, p protocol, addr string) *server {
	t.Helper()
	s := newServer(p, text("ok"))
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	s.Listener.Close()
	s.Listener = l
	s.start(t, p)
	return s
}

func newServer(p protocol, h http.Handler) *server {
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.conns.Add(1)
			s.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Add(-1)
		}
	}
	s.EnableHTTP2 = p == http2
	return s
}

func (s *server) start(t *testing.T, p protocol) {
	if p == http1 {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
}

// trusts is the option that makes the server's certificate a root.
func trusts(s *server) transport.Option {
	if s.Certificate() == nil {
		return transport.WithTLSConfig(nil)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return transport.WithTLSConfig(&tls.Config{RootCAs: roots})
}

func newTransport(t testing.TB, cfg transport.Config, opts ...transport.Option) *transport.Transport {
	t.Helper()
	tr, err := transport.New(cfg, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { tr.Close() })
	return tr
}

func get(ctx context.Context, tr http.RoundTripper, url string) (body, proto string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", "", err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), resp.Proto, err
}

func text(s string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) })
}

// barrier answers once n requests are there, so that they are at once for sure.
func barrier(n int) http.Handler {
	var mu sync.Mutex
	there, open := 0, make(chan struct{})
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		mine := open
		if there++; there == n {
			close(open)
			there, open = 0, make(chan struct{})
		}
		mu.Unlock()
		select {
		case <-mine:
		case <-r.Context().Done():
		}
	})
}
