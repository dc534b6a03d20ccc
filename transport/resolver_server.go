package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// serverLookup asks one DNS server over UDP, or TCP for long answers; the
// system's if none is named.
func serverLookup(server string) Resolver {
	if server == "" {
		return net.DefaultResolver
	}
	return namedServer{server, &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, server)
			if err == nil {
				// net.Resolver reads for another five seconds when nobody waits any more.
				context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
			}
			return conn, err
		},
	}}
}

// namedServer puts the server that was asked into errors; net.Resolver puts the one
// of resolv.conf there, whose place it took.
type namedServer struct {
	server string
	Resolver
}

func (r namedServer) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	addrs, err := r.Resolver.LookupNetIP(ctx, network, host)
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		named := *dns
		named.Server = r.server
		err = &named
	}
	return addrs, err
}
