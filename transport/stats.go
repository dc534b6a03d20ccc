package transport

import (
	"sync/atomic"
	"time"
)

// Stats is a snapshot of what a transport has done since it was made.
type Stats struct {
	Requests    uint64          `json:"requests"` // that got as far as a connection
	Reused      uint64          `json:"reused"`   // of these, over a connection that had served before
	Connections ConnectionStats `json:"connections"`
	DNS         DNSStats        `json:"dns"`
	// What it took to have a connection, and then the response's header.
	Resolve   PhaseStats `json:"resolve"`
	Connect   PhaseStats `json:"connect"`
	Handshake PhaseStats `json:"handshake"`
	FirstByte PhaseStats `json:"first_byte"`
}

// ConnectionStats counts connections.
type ConnectionStats struct {
	Open       int    `json:"open"`       // now
	Warm       int    `json:"warm"`       // of these, opened ahead and not used yet
	Opened     uint64 `json:"opened"`     // TCP connections, or those to a unix socket
	Failed     uint64 `json:"failed"`     // that could not be opened, in whichever phase
	Handshakes uint64 `json:"handshakes"` // TLS, those within a proxy's tunnel included
	Resumed    uint64 `json:"resumed"`    // of these, from an earlier session
	Rotations  uint64 `json:"rotations"`  // of a host's connections, because of addresses or age
}

// DNSStats counts lookups.
type DNSStats struct {
	Lookups  uint64 `json:"lookups"`    // names looked up, both families together
	Hits     uint64 `json:"cache_hits"` // answers from memory, stale ones included
	Stale    uint64 `json:"stale"`      // answers beyond their TTL
	Failures uint64 `json:"failures"`   // lookups that failed

	Took PhaseStats `json:"took"` // lookups, whether somebody waited or not; to the failure if they failed
}

// PhaseStats is the time spent in one phase. Total divided by Count is the mean.
type PhaseStats struct {
	Count uint64        `json:"count"`
	Total time.Duration `json:"total"`
	Max   time.Duration `json:"max"`
}

type resolverCounters struct {
	lookups, hits, stale, failures atomic.Uint64
	took                           phase
}

func (c *resolverCounters) stats() DNSStats {
	return DNSStats{Lookups: c.lookups.Load(), Hits: c.hits.Load(), Stale: c.stale.Load(), Failures: c.failures.Load(), Took: c.took.stats()}
}

type counters struct {
	requests, reused                               atomic.Uint64
	opened, failed, handshakes, resumed, rotations atomic.Uint64
	resolve, connect, handshake, firstByte         phase
}

// phase adds up durations.
type phase struct {
	count      atomic.Uint64
	total, max atomic.Int64
}

func (p *phase) add(d time.Duration) {
	p.count.Add(1)
	p.total.Add(int64(d))
	for {
		max := p.max.Load()
		if int64(d) <= max || p.max.CompareAndSwap(max, int64(d)) {
			return
		}
	}
}

func (p *phase) stats() PhaseStats {
	return PhaseStats{Count: p.count.Load(), Total: time.Duration(p.total.Load()), Max: time.Duration(p.max.Load())}
}

// Stats returns a snapshot. Its numbers are read one after the other, while
// requests go on.
func (t *Transport) Stats() Stats {
	c := &t.count
	return Stats{
		Requests: c.requests.Load(), Reused: c.reused.Load(),
		Connections: ConnectionStats{
			Open: t.conns.count(), Warm: t.spares.all(),
			Opened: c.opened.Load(), Failed: c.failed.Load(),
			Handshakes: c.handshakes.Load(), Resumed: c.resumed.Load(), Rotations: c.rotations.Load(),
		},
		DNS:     t.resolver.count.stats(),
		Resolve: c.resolve.stats(), Connect: c.connect.stats(), Handshake: c.handshake.stats(), FirstByte: c.firstByte.stats(),
	}
}
