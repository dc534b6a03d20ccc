package ratelimit

import (
	"slices"
	"sort"
	"time"
)

// waiter is a request that waits for a token. All but turn belongs to the
// state that it waits in.
type waiter struct {
	until   time.Time     // a token that comes later is of no use
	cause   error         // context.DeadlineExceeded if until comes from a deadline
	turn    chan struct{} // holds a value when the waiter should look how it stands
	refusal *refusal      // set when it was taken off the queue without a token
}

// nudge has the waiter look how it stands.
func (w *waiter) nudge() {
	select {
	case w.turn <- struct{}{}:
	default:
	}
}

// queue is sorted by until, first come first served among equals. A slice and
// not a heap, because the place in it tells how long there is to wait. Most
// waiters come in at the end and leave at the front, which is cheap.
type queue []*waiter

func (q queue) head() *waiter {
	if len(q) == 0 {
		return nil
	}
	return q[0]
}

// place is where a waiter with this until belongs.
func (q queue) place(until time.Time) int {
	return sort.Search(len(q), func(i int) bool { return q[i].until.After(until) })
}

func (q *queue) insert(place int, w *waiter) { *q = slices.Insert(*q, place, w) }

// remove takes w off the queue; false if it is not there.
func (q *queue) remove(w *waiter) bool {
	if q.head() == w {
		(*q)[0] = nil
		*q = (*q)[1:]
		return true
	}
	first := sort.Search(len(*q), func(i int) bool { return !(*q)[i].until.Before(w.until) })
	i := slices.Index((*q)[first:], w)
	if i < 0 {
		return false
	}
	*q = slices.Delete(*q, first+i, first+i+1)
	return true
}
