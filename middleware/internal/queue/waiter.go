package queue

import "time"

// Waiter is a request that waits. Its goroutine blocks on Done; whoever takes
// it off the queue decides its fate and closes the matter with Finish.
type Waiter struct {
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
	// Grant is what its owner gives to whom it serves.
	Grant Grant

	done chan struct{}
	fate error
	turn time.Time // the order of service
	seq  uint64    // first come, first served among equals
	lane *lane
	at   [orders]int // its place in each order, from 1 on; 0 when it is not in it
}

// Grant is a permit, and how things stood when it was given.
type Grant struct {
	Number uint64 // permits given, with this one
	InUse  int64  // permits in use, with this one
	Limit  int64  // how many there were
}

// NewWaiter makes a waiter that has to be served by the given time.
func NewWaiter(by time.Time) *Waiter {
	return &Waiter{By: by, done: make(chan struct{})}
}

// Finish tells the waiter its fate: nil for being served. It is called once.
func (w *Waiter) Finish(fate error) {
	w.fate = fate
	close(w.done)
}

// Done is closed when Fate can be read.
func (w *Waiter) Done() <-chan struct{} { return w.done }

// Fate is what Finish was given. Read it after Done is closed.
func (w *Waiter) Fate() error { return w.fate }
