package ratelimit

import (
	"slices"
	"sort"
	"time"
)

// waiter is a request that waits for a token. All but turn belongs to the
// state that it waits in.
type waiter struct {
	until    time.Time     // a token that comes later is of no use
	order    time.Time     // who has the earlier one goes first
	priority int           // who has a higher one can displace it
	cost     int           // units
	cause    error         // context.DeadlineExceeded if until comes from a deadline
	turn     chan struct{} // holds a value when the waiter should look how it stands
	refusal  *refusal      // set when it was taken off the queue without a token
}

// nudge has the waiter look how it stands.
func (w *waiter) nudge() {
	select {
	case w.turn <- struct{}{}:
	default:
	}
}

// maxPriority bounds priorities, so that they do not overflow a time.
const maxPriority = 1000

// rank sets the waiter's place among others: that of until, or sooner by
// ageing for each level of priority. It is fixed, and still ages: what comes
// later has a later until, so that in the end nobody overtakes who waits.
func (w *waiter) rank(priority int, ageing time.Duration) {
	w.order = w.until
	if ageing > 0 {
		w.priority = max(-maxPriority, min(priority, maxPriority))
		w.order = w.until.Add(-time.Duration(w.priority) * ageing)
	}
}

// queue is sorted by order, first come first served among equals. A slice and
// not a heap, because the place in it tells how long there is to wait. Most
// waiters come in at the end and leave at the front, which is cheap.
type queue []*waiter

func (q queue) head() *waiter {
	if len(q) == 0 {
		return nil
	}
	return q[0]
}

// place is where a waiter with this order belongs.
func (q queue) place(order time.Time) int {
	return sort.Search(len(q), func(i int) bool { return q[i].order.After(order) })
}

func (q *queue) insert(place int, w *waiter) { *q = slices.Insert(*q, place, w) }

// remove takes w off the queue; false if it is not there.
func (q *queue) remove(w *waiter) bool {
	if q.head() == w {
		(*q)[0] = nil
		*q = (*q)[1:]
		return true
	}
	first := sort.Search(len(*q), func(i int) bool { return !(*q)[i].order.Before(w.order) })
	i := slices.Index((*q)[first:], w)
	if i < 0 {
		return false
	}
	*q = slices.Delete(*q, first+i, first+i+1)
	return true
}
