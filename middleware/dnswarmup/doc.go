// Package dnswarmup resolves names and opens connections when the application
// starts, so that the first request finds them ready.
//
// The first request to a host pays for DNS, TCP and TLS: several round trips
// before a byte of it is sent. The stage pays that at the start, for the hosts
// that it is given, all at once and within a bounded time. In the way of
// requests it does nothing: Wrap returns the next RoundTripper itself.
//
// The work is done by a middleware.Warmer, which is the base of the chain as a
// rule: package transport brings one, http.DefaultTransport is none. New
// without one is an error, since such a stage could only pretend.
//
// A host that can't be warmed is reported and does no harm: its first request
// will do what warming did not. With required, the application does not start
// without it.
package dnswarmup
