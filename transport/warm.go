package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// Warm resolves host and opens connections to it, so that as many requests at
// once find theirs ready. host is a name, a name:port, or the beginning of a URL
// ("http://127.0.0.1:8080"); without a scheme it is https. An HTTP/2 server gets one
// connection, which serves all requests. If a proxy is in effect, its name and
// connections are warmed instead. With 0 connections only the name is resolved.
//
// No request is sent. Called again it opens only what is missing. The error of a
// step that failed is an [*Error]; connections that were opened all the same stay
// open. More connections than max_idle_conns_per_host or max_conns_per_host allow
// is an error, because they could not stay.
func (t *Transport) Warm(ctx context.Context, host string, connections int) error {
	at, err := parseTarget(host)
	if err != nil {
		return fmt.Errorf("transport: warm: %w", err)
	}
	if limit := t.cfg.warmLimit(); connections < 0 || connections > limit {
		return fmt.Errorf("transport: warm %s: %d connections: must be from 0 to %d (max_idle_conns_per_host, max_conns_per_host)",
			at.Host, connections, limit)
	}
	if !t.warming.enter() {
		return ErrClosed
	}
	defer t.warming.leave()
	ctx, unbind := t.warming.bind(ctx)
	defer unbind()

	to, proxied, err := t.route(ctx, at)
	if err == nil {
		err = t.ready(ctx, to, connections)
	}
	switch {
	case err == nil:
		return nil
	case t.closed.Load():
		return ErrClosed
	case proxied:
		return fmt.Errorf("transport: warm %s through its proxy: %w", at.Host, err)
	}
	return err
}

// ready resolves the destination and brings the connections that wait for it to
// the wanted number.
func (t *Transport) ready(ctx context.Context, to destination, connections int) error {
	name, _, err := net.SplitHostPort(to.host)
	if err == nil {
		_, err = t.resolver.LookupNetIP(ctx, "ip", name)
	}
	if err != nil {
		return &Error{to.host, PhaseResolve, dialError("tcp", err)}
	}
	waiting := t.spares.count(to)
	if connections <= waiting {
		return nil
	}
	if to.secure && t.adopt != nil && waiting == 0 {
		// The first connection tells which protocol the server speaks.
		if t.conns.speaksHTTP2(to.host) {
			return nil
		}
		pooled, err := t.open(ctx, to)
		if pooled || err != nil {
			return err
		}
		waiting = 1
	}
	return t.fill(ctx, to, connections-waiting)
}

// fill opens n connections at once.
func (t *Transport) fill(ctx context.Context, to destination, n int) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = t.open(ctx, to) })
	}
	wg.Wait()
	var first error
	failed := 0
	for _, err := range errs {
		if err == nil {
			continue
		}
		if failed++; first == nil {
			first = err
		}
	}
	if failed > 0 && n > 1 {
		return fmt.Errorf("%d of %d connections: %w", failed, n, first)
	}
	return first
}

// open opens one connection and puts it where RoundTrip will find it: into
// net/http's pool if it speaks HTTP/2, else among the spares.
func (t *Transport) open(ctx context.Context, to destination) (pooled bool, err error) {
	raw, err := t.connect(ctx, "tcp", to.host)
	if err != nil {
		return false, err
	}
	var c net.Conn = raw
	if to.secure {
		secured, err := t.handshake(ctx, raw, to.host)
		if err != nil {
			return false, err
		}
		if speaksHTTP2(secured) {
			return true, t.pool(to, secured)
		}
		c = secured
	}
	if err := t.spares.put(to, c); err != nil {
		return false, &Error{to.host, PhaseConnect, err}
	}
	return false, nil
}

// pool hands an HTTP/2 connection to net/http, which sends the preface and
// serves requests over it from now on. If a connection is there already,
// net/http closes this one.
func (t *Transport) pool(to destination, c *tls.Conn) error {
	failed, ok := t.adopt(to.host, c).(interface {
		http.RoundTripper
		RoundTripErr() error
	})
	if !ok {
		return nil
	}
	return &Error{to.host, PhaseHandshake, failed.RoundTripErr()}
}
