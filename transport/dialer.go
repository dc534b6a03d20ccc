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
	dead     *graveyard
	turn     atomic.Uint64 // dials so far: where the next one starts in each family
}

func newDialer(r Resolver, dial DialFunc, delay time.Duration, t *tasks) *dialer {
	return &dialer{resolver: r, dial: dial, delay: delay, tasks: t, dead: newGraveyard()}
}

// dialed is a connection with what is known of it.
type dialed struct {
	conn  net.Conn
	ip    netip.Addr
	among []netip.Addr // the name's addresses
	times dialTimes
}

// dialHost resolves the host of addr and races its addresses. ctx bounds all of it.
func (d *dialer) dialHost(ctx context.Context, network, addr string) (dialed, error) {
	begun := time.Now()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return dialed{}, &Error{addr, PhaseResolve, dialError(network, err)}
	}
	// "tcp4" asks for "ip4", and so on.
	ips, err := d.resolver.LookupNetIP(ctx, "ip"+strings.TrimPrefix(network, "tcp"), host)
	if err != nil {
		return dialed{}, &Error{addr, PhaseResolve, dialError(network, err)}
	}
	resolved := time.Now()
	sorted := d.dead.last(order(ips, d.turn.Add(1)-1), resolved)
	addrs := make([]string, len(sorted))
	for i, ip := range sorted {
		addrs[i] = net.JoinHostPort(ip.String(), port)
	}
	conn, winner, err := d.race(ctx, network, addrs)
	if err != nil {
		return dialed{}, &Error{addr, PhaseConnect, err}
	}
	for _, ip := range sorted[:winner] {
		d.dead.bury(ip, time.Now())
	}
	d.dead.rise(sorted[winner])
	return dialed{conn, sorted[winner], ips, dialTimes{resolve: resolved.Sub(begun), connect: time.Since(resolved)}}, nil
}

// dialSocket connects to a unix socket, on behalf of a host.
func (d *dialer) dialSocket(ctx context.Context, path, host string) (dialed, error) {
	begun := time.Now()
	conn, err := d.dial(ctx, "unix", path)
	if err != nil {
		return dialed{}, &Error{host, PhaseConnect, err}
	}
	return dialed{conn: conn, times: dialTimes{connect: time.Since(begun)}}, nil
}

// race tries the addresses in their order, the next one after the delay or as
// soon as one fails, and returns the first connection (RFC 8305, section 5) and
// whose it is.
func (d *dialer) race(ctx context.Context, network string, addrs []string) (conn net.Conn, winner int, err error) {
	if len(addrs) == 1 {
		conn, err = d.dial(ctx, network, addrs[0])
		return conn, 0, err
	}
	ctx, cancel := context.WithCancel(ctx) // ends the losers
	defer cancel()

	type result struct {
		conn  net.Conn
		which int
		err   error
	}
	results := make(chan result)
	over := make(chan struct{})
	defer close(over)
	attempt := func(i int) bool {
		return d.tasks.run(func() {
			conn, err := d.dial(ctx, network, addrs[i])
			select {
			case results <- result{conn, i, err}:
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
		if !attempt(started) {
			return ErrClosed
		}
		started++
		timer.Reset(d.delay)
		return nil
	}
	if err := start(); err != nil {
		return nil, 0, err
	}
	for len(errs) < len(addrs) {
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, r.which, nil
			}
			errs = append(errs, r.err)
		case <-timer.C:
		case <-ctx.Done():
			return nil, 0, errors.Join(append(errs, dialError(network, ctx.Err()))...)
		}
		if err := start(); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, errors.Join(errs...)
}

// order alternates address families, beginning with that of the first address,
// and rotates each family by turn. The resolver puts the preferred family first.
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
