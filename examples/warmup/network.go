package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"time"
)

// network is what each step takes, and the upstream for an answer.
type network struct{ lookup, connect, handshake, answer time.Duration }

// slow is the network of the program.
func slow() network {
	return network{lookup: 100 * time.Millisecond, connect: 50 * time.Millisecond, handshake: 100 * time.Millisecond, answer: 50 * time.Millisecond}
}

// name is in the certificate of httptest.
const name = "example.com"

// upstream is a TLS server behind a network.
type upstream struct {
	network    network
	srv        *httptest.Server
	port       string
	handshakes atomic.Int64
}

func newUpstream(n network, http2 bool) *upstream {
	u := &upstream{network: n}
	u.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(n.answer)
		_, _ = io.WriteString(w, "hello")
	}))
	u.srv.EnableHTTP2 = http2
	u.srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that close what they need not
	u.srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		u.handshakes.Add(1)
		time.Sleep(n.handshake)
		return nil, nil
	}}
	u.srv.StartTLS()
	_, u.port, _ = net.SplitHostPort(u.srv.Listener.Addr().String())
	return u
}

func (u *upstream) url() string { return "https://" + name + ":" + u.port }

// trust is what a client must know to trust the upstream.
func (u *upstream) trust() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(u.srv.Certificate())
	return &tls.Config{RootCAs: roots}
}

// LookupNetIP knows one address.
func (n network) LookupNetIP(ctx context.Context, family, _ string) ([]netip.Addr, error) {
	if err := pause(ctx, n.lookup); err != nil || family == "ip6" {
		return nil, err
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// dial connects to an address.
func (n network) dial(ctx context.Context, protocol, addr string) (net.Conn, error) {
	if err := pause(ctx, n.connect); err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, protocol, addr)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
