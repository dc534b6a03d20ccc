package transport

import "time"

// The kinds of events.
const (
	// EventConnected: a connection was opened; Addr, Protocol and the times tell how.
	EventConnected = "connected"
	// EventFailed: a connection could not be opened; Err is an [*Error].
	EventFailed = "connect_failed"
	// EventLookupFailed: a name could not be looked up. The last answer serves, if there is one.
	EventLookupFailed = "lookup_failed"
	// EventRotated: a host's connections give way to new ones; Reason tells why.
	EventRotated = "rotated"
	// EventNotRotated: they should have, but no new one could be opened, so they stay. Err says why.
	EventNotRotated = "not_rotated"
)

// Event is something that happened to connections or names.
type Event struct {
	Kind string
	Host string // host:port; of a lookup, the name

	Addr     string // EventConnected: the address that won, or the socket's path
	Protocol string // EventConnected: what TLS agreed on, such as "h2"; "" without TLS or ALPN
	Warmed   bool   // EventConnected, EventFailed: opened ahead, no request waited
	Reason   string // EventRotated, EventNotRotated: "addresses" or "age"
	Conns    int    // EventRotated: connections opened in place of the old ones

	Resolve, Connect, Handshake time.Duration // EventConnected: time in each phase
	Err                         error
}

// WithEvents has fn told of events, on the goroutine that causes them: it must be
// quick and may be called by several at once.
func WithEvents(fn func(Event)) Option {
	return func(o *options) { o.events = fn }
}

// emit tells who wants to know.
func (t *Transport) emit(e Event) {
	if t.events != nil {
		t.events(e)
	}
}
