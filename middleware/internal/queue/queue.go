package queue

import (
	"math"
	"slices"
	"time"
)

// Queue orders waiters. Make it with New.
type Queue struct {
	// Ageing is what a level of priority is worth: a waiter stands in the line
	// as though its deadline was that much sooner. Change it when the queue is
	// empty, or live with an order that is partly old.
	Ageing time.Duration
	// Target is the delay above which the newest of the patient waiters go
	// first and the oldest are shed; 0 keeps them in the order of arrival.
	Target time.Duration

	epoch    time.Time        // times count from here
	lanes    map[string]*lane // of the tenants that wait
	expiry   line
	arrivals line
	codel    codel
	turns    uint64
	seq      uint64
}

// lane is the waiters of one tenant.
type lane struct {
	line
	tenant string
	turn   uint64 // when it last had its turn
}

// New makes an empty queue.
func New() *Queue {
	return &Queue{epoch: time.Now(), lanes: map[string]*lane{}, expiry: line{order: byExpiry}, arrivals: line{order: byArrival}}
}

// Len is the number of waiters.
func (q *Queue) Len() int { return len(q.expiry.waiters) }

// Push puts a in its place.
func (q *Queue) Push(a Arrival) *Waiter {
	q.seq++
	w := &Waiter{
		turn: make(chan struct{}, 1), by: q.when(a.By), since: q.when(a.Since), rank: q.rankOf(a), seq: q.seq,
		priority: int16(clampPriority(a.Priority)), patient: a.Patient,
	}
	w.lane = q.lanes[a.Tenant]
	if w.lane == nil {
		q.turns++
		w.lane = &lane{line: line{order: byTurn}, tenant: a.Tenant, turn: q.turns}
		q.lanes[a.Tenant] = w.lane
	}
	w.lane.add(w)
	q.expiry.add(w)
	if w.patient {
		q.arrivals.add(w)
	}
	return w
}

// when bounds times, so that a rank can be computed.
func (q *Queue) when(t time.Time) time.Duration {
	return max(math.MinInt64/2, min(t.Sub(q.epoch), math.MaxInt64/2))
}

// maxPriority bounds priorities, so that a rank can be computed.
const maxPriority = 1000

func (q *Queue) rankOf(a Arrival) time.Duration {
	return q.when(a.By) - q.Ageing*time.Duration(clampPriority(a.Priority))
}

func clampPriority(p int) int { return max(-maxPriority, min(p, maxPriority)) }

// Remove takes w off the queue, wherever it stands. It reports false if it was
// not there any more: then its fate is decided.
func (q *Queue) Remove(w *Waiter) bool {
	if w.at[byExpiry] == 0 {
		return false
	}
	w.lane.drop(w)
	q.expiry.drop(w)
	if w.patient {
		q.arrivals.drop(w)
	}
	if len(w.lane.waiters) == 0 {
		delete(q.lanes, w.lane.tenant)
	}
	return true
}

// Pop takes off whoever is served next; nil if nobody waits.
func (q *Queue) Pop(now time.Time) *Waiter {
	l := q.nextLane(now)
	if l == nil {
		return nil
	}
	w := l.head()
	if w.patient && q.codel.dropping {
		q.yield(w)
		w = l.head()
	}
	q.turns++
	l.turn = q.turns
	q.Remove(w)
	return w
}

// nextLane is the one whose turn it is: among those in which the most
// important request waits, the one that waits longest for its turn.
func (q *Queue) nextLane(now time.Time) *lane {
	var next *lane
	var level int
	for _, l := range q.lanes {
		if len(q.lanes) == 1 {
			return l
		}
		n := q.level(l.head(), now)
		if next == nil || n > level || n == level && l.turn < next.turn {
			next, level = l, n
		}
	}
	return next
}

// level is a waiter's priority, raised with the time that it waits.
func (q *Queue) level(w *Waiter, now time.Time) int {
	p := int(w.priority)
	if q.Ageing > 0 {
		p += int((q.when(now) - w.since) / q.Ageing)
	}
	return p
}

// yield lets the newest of the patient waiters of old's lane and priority
// change places with old.
func (q *Queue) yield(old *Waiter) {
	newest := old
	for _, w := range old.lane.waiters {
		if w.patient && w.priority == old.priority && w.seq > newest.seq {
			newest = w
		}
	}
	if newest == old {
		return
	}
	old.rank, newest.rank = newest.rank, old.rank-1 // before its equals
	old.lane.fix(old)
	old.lane.fix(newest)
}

// PopExpired takes off a waiter that had to be served before now; nil if there is none.
func (q *Queue) PopExpired(now time.Time) *Waiter {
	w := q.expiry.head()
	if w == nil || w.by >= q.when(now) {
		return nil
	}
	q.Remove(w)
	return w
}

// NextExpiry is how long the first waiter is still of use; ok is false if nobody waits.
func (q *Queue) NextExpiry(now time.Time) (d time.Duration, ok bool) {
	if w := q.expiry.head(); w != nil {
		return w.by - q.when(now), true
	}
	return 0, false
}

// Ahead is how many waiters would be served before a, at least, if it was
// pushed now and nobody came after it.
func (q *Queue) Ahead(a Arrival) int {
	own, rank := 0, q.rankOf(a)
	if l := q.lanes[a.Tenant]; l != nil {
		for _, v := range l.waiters {
			if v.rank <= rank {
				own++
			}
		}
	}
	n := own
	for tenant, l := range q.lanes {
		if tenant != a.Tenant {
			n += min(own, len(l.waiters)) // they take turns
		}
	}
	return n
}

// Displace takes off the waiter that is worth the least, if a is worth more:
// the last in the line of the tenant that has the most waiting. It gives nil
// if a itself is worth the least. The least important goes first; among
// equals a tenant makes room for one that has less waiting.
func (q *Queue) Displace(a Arrival) *Waiter {
	own := 0
	if l := q.lanes[a.Tenant]; l != nil {
		own = len(l.waiters)
	}
	var longest *lane
	for _, l := range q.lanes {
		if longest == nil || len(l.waiters) > len(longest.waiters) || len(l.waiters) == len(longest.waiters) && l.turn > longest.turn {
			longest = l
		}
	}
	if longest == nil {
		return nil
	}
	last := slices.MaxFunc(longest.waiters, func(a, b *Waiter) int {
		if a.before(b, byTurn) {
			return -1
		}
		return 1
	})
	fairer := len(longest.waiters) > own+1 && clampPriority(a.Priority) >= int(last.priority)
	if !fairer && q.rankOf(a) >= last.rank {
		return nil
	}
	q.Remove(last)
	return last
}
