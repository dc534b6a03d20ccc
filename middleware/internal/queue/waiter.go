package queue

import "time"

// Arrival is a request that comes.
type Arrival struct {
	// By is when it has to be served at the latest: it is of no use later.
	By time.Time
	// Since is when it came.
	Since time.Time
	// Patient says that it has no deadline of its own: By is only the longest
	// time that it may wait.
	Patient bool
	// Priority says how much it matters: higher goes first.
	Priority int
	// Tenant is on whose behalf it waits; tenants take turns.
	Tenant string
}

// Waiter is a request that waits. Its goroutine blocks on Turn; whoever takes
// it off the queue decides its fate and tells it with Finish. There are as many
// as the queue is long, so it is kept small: times count from when the queue
// was made.
type Waiter struct {
	turn     chan struct{}
	lane     *lane
	grant    Grant
	by       time.Duration
	since    time.Duration
	rank     time.Duration // the order of service
	seq      uint64        // first come, first served among equals
	at       [orders]int32 // its place in each order, from 1 on; 0 when it is not in it
	priority int16
	patient  bool
	fate     Fate
}

// Fate is what became of a waiter.
type Fate uint8

// The fates.
const (
	Waiting   Fate = iota // none yet
	Served                // with a Grant
	Expired               // its time had passed
	Displaced             // it made room for somebody else
	Stale                 // it was shed
)

// Grant is a permit, and how things stood when it was given.
type Grant struct {
	Number uint64 // permits given, with this one
	InUse  int32  // permits in use, with this one
	Limit  int32  // how many there were
}

// Finish decides the waiter's fate and tells it. It is called once, by the
// owner of the queue under the lock that guards it.
func (w *Waiter) Finish(fate Fate, grant Grant) {
	w.fate, w.grant = fate, grant
	select {
	case w.turn <- struct{}{}:
	default: // it was woken for something else, and looks
	}
}

// Turn is sent to when there is something to look at.
func (w *Waiter) Turn() chan struct{} { return w.turn }

// Fate is what Finish was given. It is read under the lock of the queue's owner.
func (w *Waiter) Fate() (Fate, Grant) { return w.fate, w.grant }
