package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
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

// dialTLS is the base's dial for https without a proxy. A spare has its handshake
// behind it. For a new connection net/http runs the handshake, and with it the
// caller's httptrace hooks; what net/http leaves out here is the time limit.
func (t *Transport) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	if c, ok := t.spares.take(destination{secure: true, host: strings.ToLower(addr)}); ok {
		return c, nil
	}
	raw, err := t.dialPlain(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	http1, _ := ctx.Value(http1Key{}).(bool)
	c := tls.Client(raw, t.tlsFor(addr, http1))
	if err := raw.SetDeadline(time.Now().Add(t.cfg.TLSHandshakeTimeout)); err != nil {
		raw.Close()
		return nil, err
	}
	// Both calls of HandshakeContext, ours and net/http's, wait for one handshake.
	limit := func() {
		if c.HandshakeContext(ctx) != nil {
			return // net/http sees the same error and closes
		}
		markHTTP2(c)
		_ = raw.SetDeadline(time.Time{}) // fails only if closed in the meantime
	}
	if !t.tasks.run(limit) {
		raw.Close()
		return nil, ErrClosed
	}
	return c, nil
}

// handshake runs TLS over raw now, for a connection that is opened ahead.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, addr string) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.TLSHandshakeTimeout)
	defer cancel()
	c := tls.Client(raw, t.tlsFor(addr, false))
	if err := c.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &Error{addr, PhaseHandshake, err}
	}
	markHTTP2(c)
	return c, nil
}

// tlsFor is the configuration for one connection to addr.
func (t *Transport) tlsFor(addr string, http1 bool) *tls.Config {
	cfg := t.tls.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(addr)
	}
	if http1 {
		cfg.NextProtos = nil
	}
	return cfg
}

// speaksHTTP2 reports what the finished handshake has agreed on.
func speaksHTTP2(c *tls.Conn) bool { return c.ConnectionState().NegotiatedProtocol == "h2" }

// markHTTP2 notes the protocol on the connection below.
func markHTTP2(c *tls.Conn) {
	if raw, ok := c.NetConn().(*conn); ok && speaksHTTP2(c) {
		raw.http2.Store(true)
	}
}
