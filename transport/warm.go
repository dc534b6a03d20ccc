package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Warm resolves host and opens connections to it, so that as many requests at
// once find theirs ready. host is a name, a name:port, or the beginning of a URL
// ("http://127.0.0.1:8080"); without a scheme it is https. An HTTP/2 server gets one
// connection, which serves all requests. If a proxy is in effect, its name and
// connections are warmed instead. With 0 connections only the name is resolved.
//
// No request is sent. Called again it opens only what is missing: those that
// serve requests count. The error of a step that failed is an [*Error]; connections
// that were opened all the same stay open. More connections than max_idle_conns_per_host or max_conns_per_host allow
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

	h := t.host(at)
	h.used.Store(time.Now().UnixNano())
	l, err := h.current(true)
	if err != nil {
		return err
	}
	to, proxied, err := t.route(ctx, l, at)
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

// ready resolves the destination and brings the connections that lead there to
// the wanted number.
func (t *Transport) ready(ctx context.Context, to destination, connections int) error {
	if t.cfg.UnixSocket == "" {
		if _, err := t.resolver.LookupNetIP(ctx, "ip", hostname(to.host)); err != nil {
			return &Error{to.host, PhaseResolve, dialError("tcp", err)}
		}
	}
	open, http2 := t.conns.leading(to)
	switch {
	case connections <= open || http2:
		return nil
	case to.lane.h2c():
		connections = 1
	case to.secure && !to.proxy && to.lane.adopt != nil && open == 0:
		// The first connection tells which protocol the server speaks.
		pooled, err := t.open(ctx, to, true)
		if pooled || err != nil {
			return err
		}
		open = 1
	}
	_, err := t.fill(ctx, to, connections-open)
	return err
}

// replace opens as many connections in a fresh lane as there are given, and
// returns how many there are.
func (t *Transport) replace(ctx context.Context, fresh *lane, conns []*conn) (int, error) {
	wanted := make(map[destination]int)
	for _, c := range conns {
		to := c.to
		to.lane = fresh
		if wanted[to]++; c.http2.Load() {
			wanted[to] = 1
		}
	}
	opened := 0
	var errs []error
	for to, n := range wanted {
		done, err := t.fill(ctx, to, min(n, t.cfg.warmLimit()))
		opened += done
		errs = append(errs, err)
	}
	return opened, errors.Join(errs...)
}

// together is the number of connections that are opened at once.
const together = 32

// fill opens n connections and returns how many of them are open.
func (t *Transport) fill(ctx context.Context, to destination, n int) (opened int, err error) {
	errs := make([]error, max(n, 0))
	places := make(chan struct{}, together)
	var wg sync.WaitGroup
	for i := range errs {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			_, errs[i] = t.open(ctx, to, true)
		})
	}
	wg.Wait()
	failed := 0
	for _, e := range errs {
		if e == nil {
			continue
		}
		if failed++; err == nil {
			err = e
		}
	}
	if failed > 0 && n > 1 {
		err = fmt.Errorf("%d of %d connections: %w", failed, n, err)
	}
	return len(errs) - failed, err
}

// open opens one connection, ahead of all requests if warmed, and puts it where
// RoundTrip will find it: into net/http's pool if it speaks HTTP/2, else among the
// spares.
func (t *Transport) open(ctx context.Context, to destination, warmed bool) (pooled bool, err error) {
	defer func() {
		if err != nil {
			t.failed(to, warmed, err)
		}
	}()
	raw, err := to.lane.connect(ctx, "tcp", to)
	if err != nil {
		return false, err
	}
	var c net.Conn = raw
	if to.secure {
		secured, err := to.lane.handshake(ctx, raw, warmed)
		if err != nil {
			return false, err
		}
		if raw.http2.Load() {
			return true, t.pool(raw, secured)
		}
		c = secured
	} else {
		raw.http2.Store(to.lane.h2c())
		t.connected(raw, warmed, "")
	}
	if err := t.spares.put(to, c); err != nil {
		return false, &Error{to.host, PhaseConnect, err}
	}
	return false, nil
}

// pool hands an HTTP/2 connection to net/http, which sends the preface and
// serves requests over it from now on. If a connection is there already,
// net/http closes this one.
func (t *Transport) pool(raw *conn, c *tls.Conn) error {
	raw.settled = make(chan struct{})
	raw.stage.Store(offered)
	failed, ok := raw.lane.adopt(raw.to.host, c).(interface {
		http.RoundTripper
		RoundTripErr() error
	})
	<-raw.settled
	if !ok {
		return nil
	}
	return &Error{raw.to.host, PhaseHandshake, failed.RoundTripErr()}
}
