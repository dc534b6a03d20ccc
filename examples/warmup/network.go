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

// What the network takes, and the upstream for an answer.
const (
	lookupTakes    = 100 * time.Millisecond
	connectTakes   = 50 * time.Millisecond
	handshakeTakes = 100 * time.Millisecond
	answerTakes    = 50 * time.Millisecond
)

// name is in the certificate of httptest.
const name = "example.com"

// upstream is a TLS server behind a slow network.
type upstream struct {
	srv        *httptest.Server
	port       string
	handshakes atomic.Int64
}

func newUpstream(http2 bool) *upstream {
	u := new(upstream)
	u.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(answerTakes)
		_, _ = io.WriteString(w, "hello")
	}))
	u.srv.EnableHTTP2 = http2
	u.srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of clients that close what they need not
	u.srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		u.handshakes.Add(1)
		time.Sleep(handshakeTakes)
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

// slowDNS knows one address.
type slowDNS struct{}

func (slowDNS) LookupNetIP(ctx context.Context, network, _ string) ([]netip.Addr, error) {
	if err := pause(ctx, lookupTakes); err != nil || network == "ip6" {
		return nil, err
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// slowDial connects to an address.
func slowDial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := pause(ctx, connectTakes); err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
