package llmtest

import (
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// Stats is what an upstream has counted so far. Requests are attempts; MaxServing is the number of requests
// served at the same time, at most.
type Stats struct {
	middlewaretest.Stats

	// Invalid requests were refused: no JSON, no model, no message, no key, no such path.
	Invalid int
	// Streams were asked for, among the valid requests.
	Streams int
	// Generated are the tokens (pieces of a reply, reasoning included) made so far.
	Generated int
	// Delivered are those of replies that went out whole.
	Delivered int
}

// Wasted are the tokens made for replies that nobody got whole. Replies on their way count until they are delivered.
func (s Stats) Wasted() int { return s.Generated - s.Delivered }

// Stats returns a copy of the counts.
func (u *Upstream) Stats() Stats {
	// Delivered first: a reply is generated before it is delivered.
	delivered := u.meter.delivered.Load()
	return Stats{
		Stats:     u.Upstream.Stats(),
		Invalid:   int(u.meter.invalid.Load()),
		Streams:   int(u.meter.streams.Load()),
		Generated: int(u.meter.generated.Load()),
		Delivered: int(delivered),
	}
}

// meter counts the work.
type meter struct {
	invalid, streams, generated, delivered atomic.Int64
}

func (m *meter) refused() { m.invalid.Add(1) }

func (m *meter) asked(r Request) {
	if r.Stream {
		m.streams.Add(1)
	}
}

// made counts tokens. A Turn that is called with a Request of one's own has nobody to count.
func (m *meter) made(tokens int) {
	if m != nil {
		m.generated.Add(int64(tokens))
	}
}

// last sends the chunk with which so many tokens are delivered. They count before it goes out, so that whoever has
// read it finds them counted, and not any more if it could not be sent: the sender leaves by a panic.
func (m *meter) last(yield func(middlewaretest.Chunk) bool, c middlewaretest.Chunk, tokens int) {
	if m == nil {
		yield(c)
		return
	}
	sent := false
	m.delivered.Add(int64(tokens))
	defer func() {
		if !sent {
			m.delivered.Add(-int64(tokens))
		}
	}()
	sent = yield(c)
}
