package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"
)

// lane is a pool of connections to one host: an [http.Transport] of its own. To
// move a host to other addresses, it gets a new lane; the old one takes no
// further requests and closes each connection as it becomes idle. A pool of
// net/http's knows how to do that without failing a request, but only for all
// of its connections.
type lane struct {
	t     *Transport
	host  *host
	limit time.Duration // on the age of its connections; 0: none
	base  *http.Transport
	tls   *tls.Config

	shared shared

	// adopt puts an HTTP/2 connection into the pool; nil if HTTP/2 is off.
	adopt func(authority string, c *tls.Conn) http.RoundTripper
}

// newLane reads the certificates' files, if there are any.
func (t *Transport) newLane(h *host) (*lane, error) {
	cfg, err := t.tls.config()
	if err != nil {
		return nil, &Error{h.key.addr(), PhaseHandshake, err}
	}
	l := &lane{t: t, host: h, limit: t.ageLimit(), tls: cfg}
	l.base = t.newBase(l)

	// The first use of an http.Transport sets HTTP/2 up; this is the cheapest one.
	// GODEBUG can still have it switched off.
	l.base.CloseIdleConnections()
	l.adopt = l.base.TLSNextProto["h2"]
	if !t.cfg.HTTP2 {
		l.adopt = nil // there is one for h2c all the same
	}
	l.tls.NextProtos = nil
	if l.adopt != nil {
		l.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return l, nil
}

func (t *Transport) newBase(l *lane) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(t.cfg.HTTP2)
	if l.h2c() {
		protocols = new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
	}
	forTunnels := l.tls.Clone() // through a proxy, net/http does the TLS itself
	forTunnels.NextProtos = nil
	forTunnels.VerifyConnection = t.countTunnel(forTunnels.VerifyConnection)
	return &http.Transport{
		Proxy:                  t.proxy,
		DialContext:            l.dialPlain,
		DialTLSContext:         l.dialTLS,
		TLSClientConfig:        forTunnels,
		TLSHandshakeTimeout:    t.cfg.TLSHandshakeTimeout,
		MaxIdleConnsPerHost:    t.cfg.MaxIdleConnsPerHost,
		MaxConnsPerHost:        t.cfg.MaxConnsPerHost,
		IdleConnTimeout:        l.idleTimeout(),
		ExpectContinueTimeout:  t.cfg.ExpectContinueTimeout,
		MaxResponseHeaderBytes: t.cfg.MaxResponseHeaderBytes,
		Protocols:              protocols,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: t.cfg.HTTP2PingAfter,
			PingTimeout:     t.cfg.HTTP2PingTimeout,
		},
	}
}

// h2c reports whether the lane speaks HTTP/2 without TLS.
func (l *lane) h2c() bool { return l.t.cfg.H2C && l.host.key.scheme == "http" }

// idleTimeout is idle_conn_timeout, but for h2c, whose connections net/http takes for
// idle from the moment that they are opened: those are the keeper's to close.
func (l *lane) idleTimeout() time.Duration {
	if l.h2c() {
		return 0
	}
	return l.t.cfg.IdleConnTimeout
}

// countTunnel counts the handshakes that net/http runs itself.
func (t *Transport) countTunnel(next func(tls.ConnectionState) error) func(tls.ConnectionState) error {
	return func(cs tls.ConnectionState) error {
		t.countHandshake(cs)
		if next == nil {
			return nil
		}
		return next(cs)
	}
}

func (t *Transport) countHandshake(cs tls.ConnectionState) {
	t.count.handshakes.Add(1)
	if cs.DidResume {
		t.count.resumed.Add(1)
	}
}

// giveUp ends the lane for further requests: the next one makes a new lane.
func (l *lane) giveUp() {
	if l.host.lane.CompareAndSwap(l, nil) {
		l.host.stir()
	}
}

// closeIdle closes what no request uses, the spares included.
func (l *lane) closeIdle() {
	l.t.spares.closeLane(l)
	l.base.CloseIdleConnections()
}

// dialPlain is the base's dial for http, for proxies and for tunnels.
func (l *lane) dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	to := destination{lane: l, host: strings.ToLower(addr)}
	if c, ok := l.t.spares.take(to); ok {
		return c, nil
	}
	c, err := l.connect(ctx, network, to)
	if err != nil {
		l.t.failed(to, false, err)
		return nil, err // not c, which would be a nil inside an interface
	}
	l.t.makeRoom(l.host)
	c.http2.Store(l.h2c())
	l.t.connected(c, false, "")
	return c, nil
}

// connect opens a TCP connection within dial_timeout, or one to the unix socket.
func (l *lane) connect(ctx context.Context, network string, to destination) (*conn, error) {
	t := l.t
	if !t.tasks.enter() {
		return nil, ErrClosed
	}
	defer t.tasks.leave()
	ctx, unbind := t.tasks.bind(ctx)
	defer unbind()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.DialTimeout)
	defer cancel()
	var d dialed
	var err error
	if t.cfg.UnixSocket == "" {
		d, err = t.dialer.dialHost(ctx, network, to.host)
	} else {
		d, err = t.dialer.dialSocket(ctx, t.cfg.UnixSocket, to.host)
	}
	if err != nil {
		if t.tasks.ctx.Err() != nil {
			return nil, ErrClosed
		}
		return nil, err
	}
	c := &conn{Conn: d.conn, to: to, lane: l, born: time.Now(), ip: d.ip, among: d.among, times: d.times}
	if err := t.conns.add(c); err != nil {
		return nil, err
	}
	l.host.watch()
	return c, nil
}

// connected counts a connection that is ready, and tells of it.
func (t *Transport) connected(c *conn, warmed bool, protocol string) {
	t.count.opened.Add(1)
	t.count.resolve.add(c.times.resolve)
	t.count.connect.add(c.times.connect)
	if c.to.secure {
		t.count.handshake.add(c.times.handshake)
	}
	if t.events != nil {
		t.emit(Event{
			Kind: EventConnected, Host: c.to.host, Addr: c.RemoteAddr().String(), Protocol: protocol, Warmed: warmed,
			Resolve: c.times.resolve, Connect: c.times.connect, Handshake: c.times.handshake,
		})
	}
}

// failed counts a connection that could not be opened, and tells of it, unless
// nobody wanted it any more.
func (t *Transport) failed(to destination, warmed bool, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrClosed) {
		return
	}
	t.count.failed.Add(1)
	t.emit(Event{Kind: EventFailed, Host: to.host, Warmed: warmed, Err: err})
}
