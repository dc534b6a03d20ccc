package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

// Transport is an [http.RoundTripper] over a tuned [http.Transport]. Make one with
// [New] and share it: it is the connection pool.
type Transport struct {
	cfg      Config
	base     *http.Transport
	tls      *tls.Config
	resolver *CachingResolver
	dialer   *dialer
	conns    *connSet
	spares   *spares
	tasks    *tasks // dials, handshakes and watchers
	warming  *tasks // calls of Warm
	closed   atomic.Bool

	// adopt puts an HTTP/2 connection into the pool; nil if HTTP/2 is off.
	adopt func(authority string, c *tls.Conn) http.RoundTripper
}

var _ http.RoundTripper = (*Transport)(nil)

// New returns a transport. It does no I/O and starts no goroutine.
func New(cfg Config, opts ...Option) (*Transport, error) {
	if cfg == (Config{}) {
		return nil, fmt.Errorf("transport: the configuration is empty: start from DefaultConfig")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("transport: invalid configuration (DefaultConfig is valid): %w", err)
	}
	o := buildOptions(cfg, opts)
	resolver, err := NewCachingResolver(cfg.Resolver, o.resolver)
	if err != nil {
		return nil, err
	}
	t := &Transport{
		cfg:      cfg,
		tls:      o.tls,
		resolver: resolver,
		conns:    newConnSet(),
		tasks:    newTasks(),
		warming:  newTasks(),
	}
	t.dialer = &dialer{resolver: resolver, dial: o.dial, delay: cfg.AttemptDelay, tasks: t.tasks}
	t.spares = newSpares(cfg, t.tasks)
	if t.tls.ClientSessionCache == nil && cfg.TLSSessionCache > 0 {
		t.tls.ClientSessionCache = tls.NewLRUClientSessionCache(cfg.TLSSessionCache)
	}
	t.base = t.newBase(o.proxy)

	// The first use of an http.Transport sets HTTP/2 up; this is the cheapest one.
	// GODEBUG can still have it switched off.
	t.base.CloseIdleConnections()
	t.adopt = t.base.TLSNextProto["h2"]
	t.tls.NextProtos = nil
	if t.adopt != nil {
		t.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return t, nil
}

func (t *Transport) newBase(proxy ProxyFunc) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(t.cfg.HTTP2)
	forTunnels := t.tls.Clone() // through a proxy, net/http does the TLS itself
	forTunnels.NextProtos = nil
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            t.dialPlain,
		DialTLSContext:         t.dialTLS,
		TLSClientConfig:        forTunnels,
		TLSHandshakeTimeout:    t.cfg.TLSHandshakeTimeout,
		MaxIdleConns:           t.cfg.MaxIdleConns,
		MaxIdleConnsPerHost:    t.cfg.MaxIdleConnsPerHost,
		MaxConnsPerHost:        t.cfg.MaxConnsPerHost,
		IdleConnTimeout:        t.cfg.IdleConnTimeout,
		ExpectContinueTimeout:  t.cfg.ExpectContinueTimeout,
		MaxResponseHeaderBytes: t.cfg.MaxResponseHeaderBytes,
		Protocols:              protocols,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: t.cfg.HTTP2PingAfter,
			PingTimeout:     t.cfg.HTTP2PingTimeout,
		},
	}
}

// RoundTrip implements [http.RoundTripper]. A dial that fails ends in an
// [*Error]; after Stop or Close the error is [ErrClosed].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.closed.Load() {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, ErrClosed
	}
	if !needsHTTP1(req) {
		return t.base.RoundTrip(req)
	}
	resp, err := t.base.RoundTrip(req.WithContext(context.WithValue(req.Context(), http1Key{}, true)))
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// CloseIdleConnections closes what no request uses at the moment, the warmed
// connections included.
func (t *Transport) CloseIdleConnections() {
	t.spares.closeAll()
	t.base.CloseIdleConnections()
}

// Resolver returns the caching resolver, for other users of the same names.
func (t *Transport) Resolver() *CachingResolver { return t.resolver }

// dialPlain is the base's dial for http, for proxies and for tunnels.
func (t *Transport) dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	if c, ok := t.spares.take(destination{host: strings.ToLower(addr)}); ok {
		return c, nil
	}
	c, err := t.connect(ctx, network, addr)
	if err != nil {
		return nil, err // not c, which would be a nil inside an interface
	}
	return c, nil
}

// connect opens a TCP connection within dial_timeout.
func (t *Transport) connect(ctx context.Context, network, addr string) (*conn, error) {
	if !t.tasks.enter() {
		return nil, ErrClosed
	}
	defer t.tasks.leave()
	ctx, unbind := t.tasks.bind(ctx)
	defer unbind()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.DialTimeout)
	defer cancel()
	raw, err := t.dialer.dialHost(ctx, network, addr)
	if err != nil {
		if t.tasks.ctx.Err() != nil {
			return nil, ErrClosed
		}
		return nil, err
	}
	return t.conns.add(raw, strings.ToLower(addr))
}
