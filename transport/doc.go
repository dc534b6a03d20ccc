// Package transport is the base under a chain of stages: tuned
// [http.Transport]s that dial through a caching resolver, can be warmed, and
// follow a name that moves.
//
//	tr, err := transport.New(transport.DefaultConfig())
//	...
//	defer tr.Close()
//	err = tr.Warm(ctx, "api.example.com", 4) // DNS, TCP and TLS are paid now
//	client := &http.Client{Transport: tr}
//
// It imports the standard library only, and can be used without the rest of
// Headgate.
//
// # What it adds to net/http
//
// Settings: net/http keeps two idle connections per host, so 100 concurrent
// callers reconnect all the time. [Config] says why each value is what it is.
//
// Names: net/http looks a name up for every connection and fails when DNS does.
// [CachingResolver] asks once, for both families at the same time, shares the
// answer, renews it while it is in use, and goes on with an old one while DNS is
// down.
//
// Dialing: addresses are raced as RFC 8305 (Happy Eyeballs) says, so that a
// dead address costs the first connection a quarter of a second. Within a family
// the starting point rotates, because a cache would otherwise send every
// connection to the first address of an answer.
//
// Moving: net/http dials only when it has no idle connection, so a busy client
// stays at an address for ever (golang/go#23427). The names of connections in use
// are looked up again, and when the addresses change, or the oldest connection is
// too old, a host's connections are replaced: the new ones are opened first, the
// old ones finish what they carry.
//
// Dead connections: HTTP/2 PINGs, TCP keep-alive probes and, on Linux, a limit on
// unacknowledged data end them within 30 seconds.
//
// Figures: [Transport.Stats] and [WithEvents].
//
// # A pool for each host
//
// net/http can close the idle connections of a pool, without failing a request,
// but only all of them. So each host (scheme, name and port) has an
// [http.Transport] of its own, a lane, and gets a new one when it moves. The old
// lane takes no more requests, and its connections are closed as they become
// idle. Closing single connections underneath net/http was rejected: a request
// that has just been given the connection fails, and if it has a body that
// can't be sent twice, it is lost.
//
// A goroutine, the keeper, looks after a host while it has connections; it
// waits most of the time.
//
// # How connections are warmed
//
// net/http has no call that opens a connection without a request, and its
// HTTP/1.1 pool takes no connection from outside. So:
//
//   - An HTTP/2 connection goes into net/http's own pool at once, through
//     Transport.TLSNextProto, which is where net/http itself hands it over. The
//     preface and SETTINGS are exchanged then. One connection serves all requests.
//   - An HTTP/1.1 connection is kept, handshake included, in a small pool of
//     spare connections that stands in the dial hooks: when RoundTrip finds no
//     idle connection it dials, and the dial is answered with a spare. From
//     then on the connection is net/http's, as any other.
//
// Nothing is sent that the server would take for a request. While it waits, a spare
// is watched by a read: if the server closes it or speaks out of turn, it is
// dropped at once, not handed out. It is also dropped after idle_conn_timeout.
// The spares are bounded by max_idle_conns_per_host and max_idle_conns.
//
// Two other ways were tried on paper and rejected. Starting a request and
// cancelling it while it dials leaves the connection in net/http's pool, but
// there is no way to see when it got there, and a request for a host that
// already has an idle connection would be sent. Keeping HTTP/2 connections as
// spares does not work, because servers hang up on a client that sends no preface.
//
// If a proxy is in effect for the host, the name and the connections that
// are warmed are the proxy's, with TLS if it is an https proxy; no CONNECT is sent.
//
// # TLS
//
// Direct HTTPS connections are dialed by this package, since only then can a
// spare carry its handshake. net/http still runs the handshake of all others, so
// httptrace sees its true duration; that of a spare shows as zero, which is what
// the request paid. WebSocket requests keep to HTTP/1.1 as they do in net/http.
//
// # Life
//
// [New] does no I/O and starts no goroutine. [Transport.Stop] lets requests
// finish and then leaves no connection and no goroutine; [Transport.Close] does
// not wait for them. All methods may be called by any number of goroutines.
package transport
