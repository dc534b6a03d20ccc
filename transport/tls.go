package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// http1Key marks the context of a request that HTTP/2 can't carry.
type http1Key struct{}

// needsHTTP1 reports whether req opens a WebSocket. net/http keeps these away
// from HTTP/2 too, but can't tell a dial hook.
func needsHTTP1(req *http.Request) bool {
	if !strings.EqualFold(req.Header.Get("Upgrade"), "websocket") {
		return false
	}
	for _, v := range req.Header.Values("Connection") {
		for token := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}

// dialTLS is the base's dial for https without a proxy, and for a proxy with TLS. A
// spare has its handshake behind it. For a new connection net/http runs the handshake, and with it the
// caller's httptrace hooks; what net/http leaves out here is the time limit.
func (l *lane) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	to := l.secureTo(ctx, strings.ToLower(addr))
	if c, ok := l.t.spares.take(to); ok {
		return c, nil
	}
	raw, err := l.connect(ctx, network, to)
	if err != nil {
		l.t.failed(to, false, err)
		return nil, err
	}
	l.t.makeRoom(l.host)
	http1, _ := ctx.Value(http1Key{}).(bool)
	c := tls.Client(raw, l.tlsFor(to, http1))
	begun := time.Now()
	if err := raw.SetDeadline(begun.Add(l.t.cfg.TLSHandshakeTimeout)); err != nil {
		raw.Close()
		return nil, err
	}
	// Both calls of HandshakeContext, ours and net/http's, wait for one handshake.
	limit := func() {
		if err := c.HandshakeContext(ctx); err != nil {
			l.t.failed(to, false, &Error{addr, PhaseHandshake, err}) // net/http sees the same error and closes
			return
		}
		l.secured(raw, c, begun, false)
		_ = raw.SetDeadline(time.Time{}) // fails only if closed in the meantime
	}
	if !l.t.tasks.run(limit) {
		raw.Close()
		return nil, ErrClosed
	}
	return c, nil
}

// handshake runs TLS over raw now, for a connection that is opened ahead.
func (l *lane) handshake(ctx context.Context, raw *conn, warmed bool) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, l.t.cfg.TLSHandshakeTimeout)
	defer cancel()
	begun := time.Now()
	c := tls.Client(raw, l.tlsFor(raw.to, false))
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &Error{raw.to.host, PhaseHandshake, err}
	}
	l.secured(raw, c, begun, warmed)
	return c, nil
}

// secured notes a finished handshake.
func (l *lane) secured(raw *conn, c *tls.Conn, begun time.Time, warmed bool) {
	cs := c.ConnectionState()
	raw.times.handshake = time.Since(begun)
	if raw.to.secure && !raw.to.proxy {
		l.host.http2.Store(cs.NegotiatedProtocol == "h2")
	}
	if cs.NegotiatedProtocol == "h2" {
		l.t.conns.share(raw)
	}
	l.t.countHandshake(cs)
	l.t.connected(raw, warmed, cs.NegotiatedProtocol)
}

// secureTo is where a dial for TLS leads: to the proxy, if that is its address, else
// to the host itself. net/http doesn't tell which it is.
func (l *lane) secureTo(ctx context.Context, addr string) destination {
	at := &url.URL{Scheme: l.host.key.scheme, Host: l.host.key.addr(), Path: "/"}
	if to, proxied, err := l.t.route(ctx, l, at); err == nil && proxied && to.secure && to.host == addr {
		return to
	}
	return destination{lane: l, secure: true, host: addr}
}

// tlsFor is the configuration for one connection. A proxy is asked for a tunnel in
// HTTP/1.1, and has a name of its own.
func (l *lane) tlsFor(to destination, http1 bool) *tls.Config {
	cfg := l.tls.Clone()
	if cfg.ServerName == "" || to.proxy {
		cfg.ServerName = hostname(to.host)
	}
	if http1 || to.proxy {
		cfg.NextProtos = nil
	}
	return cfg
}
