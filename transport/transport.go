package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"sync/atomic"
	"time"
)

// Transport is an [http.RoundTripper] over tuned [http.Transport]s. Make one with
// [New] and share it: it is the connection pool.
type Transport struct {
	cfg      Config
	proxy    ProxyFunc
	tls      *tlsSource
	resolver *CachingResolver
	dialer   *dialer
	hosts    *hosts
	conns    *connSet
	spares   *spares
	tasks    *tasks // dials, handshakes and watchers
	warming  *tasks // calls of Warm
	keepers  *tasks
	closed   atomic.Bool
	events   func(Event)
	count    counters
	trace    *httptrace.ClientTrace // counts; never written to
}

var _ http.RoundTripper = (*Transport)(nil)

// New returns a transport. It does no I/O and starts no goroutine.
func New(cfg Config, opts ...Option) (*Transport, error) {
	if reflect.ValueOf(cfg).IsZero() {
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
		proxy:    o.proxy,
		tls:      newTLSSource(cfg, o.tls),
		resolver: resolver,
		hosts:    newHosts(cfg.Resolver.MaxHosts),
		conns:    newConnSet(),
		tasks:    newTasks(),
		warming:  newTasks(),
		keepers:  newTasks(),
		events:   o.events,
	}
	resolver.report = t.events
	t.dialer = newDialer(resolver, o.dial, cfg.AttemptDelay, t.tasks)
	t.spares = newSpares(cfg, t.tasks)
	t.trace = &httptrace.ClientTrace{GotConn: t.gotConn}
	return t, nil
}

// RoundTrip implements [http.RoundTripper]. A dial that fails ends in an
// [*Error]; after Stop or Close the error is [ErrClosed].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	begun := time.Now()
	l, err := t.laneOf(req)
	if err == nil {
		l.host.used.Store(begun.UnixNano())
		err = l.await(req)
	}
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	resp, err := l.base.RoundTrip(req.WithContext(t.inner(req)))
	if resp != nil {
		t.count.firstByte.add(time.Since(begun))
		resp.Request = req
	}
	return resp, err
}

// laneOf finds the pool for a request.
func (t *Transport) laneOf(req *http.Request) (*lane, error) {
	if t.closed.Load() {
		return nil, ErrClosed
	}
	if req.URL == nil {
		return nil, errors.New("transport: the request has no URL")
	}
	return t.host(req.URL).current(false)
}

// inner is the request's context for net/http.
func (t *Transport) inner(req *http.Request) context.Context {
	ctx := req.Context()
	if needsHTTP1(req) {
		ctx = context.WithValue(ctx, http1Key{}, true)
	}
	trace := t.trace
	if httptrace.ContextClientTrace(ctx) != nil {
		trace = &httptrace.ClientTrace{GotConn: t.gotConn} // which will be changed to call the other one too
	}
	return httptrace.WithClientTrace(ctx, trace)
}

func (t *Transport) gotConn(info httptrace.GotConnInfo) {
	t.count.requests.Add(1)
	if info.Reused {
		t.count.reused.Add(1)
	}
	if c, ok := info.Conn.(*tls.Conn); ok {
		if raw, ok := c.NetConn().(*conn); ok && raw.stage.Load() != ordinary {
			raw.leave()
		}
	}
}

// CloseIdleConnections closes what no request uses at the moment, the warmed
// connections included.
func (t *Transport) CloseIdleConnections() {
	for _, l := range t.conns.lanes() {
		l.closeIdle()
	}
}

// Resolver returns the caching resolver, for other users of the same names.
func (t *Transport) Resolver() *CachingResolver { return t.resolver }

// ageLimit is max_conn_age for one lane: a little less for some, so that hosts do
// not all open connections at the same time.
func (t *Transport) ageLimit() time.Duration {
	return time.Duration(float64(t.cfg.MaxConnAge) * (0.9 + 0.1*rand.Float64()))
}
