package circuitbreaker

import (
	"math"
	"sync/atomic"
	"time"
)

// phase is a breaker's stay in one state. Each has a generation of its own,
// and what its calls come to is counted in it alone: the result of a call from
// an earlier phase finds nothing to change.
type phase struct {
	state      State
	generation uint32
	since      time.Duration
	until      time.Duration // Open: from then on a probe may go

	// Closed and ForcedClosed.
	window      window
	windowCalls int          // the setting that window was made for
	consecutive atomic.Int64 // failures in a row
	lastBad     atomic.Int64 // when a call failed or was slow; never, if none was
	hint        atomic.Int64 // the latest time that a failure of the row asked to come back at

	// HalfOpen; guarded by breaker.mu.
	leases    leases
	successes int
}

// never is an instant before all others, with room to subtract it.
const never = math.MinInt64 / 2

// A token is what a call carries from its admission to its end: the phase's
// generation, whether it was slow, and the number of its lease, 0 for a call
// that is no probe.
const slowToken = 1 << 31

func (p *phase) token(lease uint32) uint64 {
	return uint64(p.generation)<<32 | uint64(lease)
}

// leaseOf gives the number of the lease in a token.
func leaseOf(token uint64) uint32 { return uint32(token) &^ slowToken }

// hold remembers the latest of the times that failures asked to come back at.
func (p *phase) hold(at time.Duration) {
	for {
		old := p.hint.Load()
		if int64(at) <= old || p.hint.CompareAndSwap(old, int64(at)) {
			return
		}
	}
}
