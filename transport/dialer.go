package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// dialer opens a connection to the first address of a host that answers.
type dialer struct {
	resolver Resolver
	dial     DialFunc
	delay    time.Duration // between two attempts
	tasks    *tasks
	turn     atomic.Uint64 // dials so far: where the next one starts in each family
}

// dialHost resolves the host of addr and races its addresses. ctx bounds all of it.
func (d *dialer) dialHost(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &Error{addr, PhaseResolve, dialError(network, err)}
	}
	// "tcp4" asks for "ip4", and so on.
	ips, err := d.resolver.LookupNetIP(ctx, "ip"+strings.TrimPrefix(network, "tcp"), host)
	if err != nil {
		return nil, &Error{addr, PhaseResolve, dialError(network, err)}
	}
	ips = order(ips, d.turn.Add(1)-1)
	addrs := make([]string, len(ips))
	for i, ip := range ips {
		addrs[i] = net.JoinHostPort(ip.String(), port)
	}
	conn, err := d.race(ctx, network, addrs)
	if err != nil {
		return nil, &Error{addr, PhaseConnect, err}
	}
	return conn, nil
}

// race tries the addresses in their order, the next one after the delay or as
// soon as one fails, and returns the first connection (RFC 8305, section 5).
func (d *dialer) race(ctx context.Context, network string, addrs []string) (net.Conn, error) {
	if len(addrs) == 1 {
		return d.dial(ctx, network, addrs[0])
	}
	ctx, cancel := context.WithCancel(ctx) // ends the losers
	defer cancel()

	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result)
	over := make(chan struct{})
	defer close(over)
	attempt := func(addr string) bool {
		return d.tasks.run(func() {
			conn, err := d.dial(ctx, network, addr)
			select {
			case results <- result{conn, err}:
			case <-over:
				if conn != nil {
					conn.Close()
				}
			}
		})
	}

	timer := time.NewTimer(d.delay)
	defer timer.Stop()
	var errs []error
	started := 0
	start := func() error {
		if started == len(addrs) {
			return nil
		}
		if !attempt(addrs[started]) {
			return ErrClosed
		}
		started++
		timer.Reset(d.delay)
		return nil
	}
	if err := start(); err != nil {
		return nil, err
	}
	for len(errs) < len(addrs) {
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			errs = append(errs, r.err)
		case <-timer.C:
		case <-ctx.Done():
			return nil, errors.Join(append(errs, dialError(network, ctx.Err()))...)
		}
		if err := start(); err != nil {
			return nil, err
		}
	}
	return nil, errors.Join(errs...)
}

// order alternates address families, beginning with that of the first address,
// and rotates each family by turn. The lookup has sorted the addresses already
// (RFC 6724), so its first family is the preferred one.
func order(ips []netip.Addr, turn uint64) []netip.Addr {
	if len(ips) < 2 {
		return ips
	}
	var first, second []netip.Addr
	for _, ip := range ips {
		if ip.Is4() == ips[0].Is4() {
			first = append(first, ip)
		} else {
			second = append(second, ip)
		}
	}
	out := make([]netip.Addr, 0, len(ips))
	for i := range max(len(first), len(second)) {
		for _, family := range [][]netip.Addr{first, second} {
			if i < len(family) {
				n := uint64(len(family))
				out = append(out, family[(uint64(i)+turn%n)%n])
			}
		}
	}
	return out
}

// dialError gives an error the shape that net/http's own dials have, so that
// who asks for a *net.OpError with Op "dial" finds one.
func dialError(network string, err error) error {
	return &net.OpError{Op: "dial", Net: network, Err: err}
}
