package queue

import "container/heap"

// The orders in which waiters stand.
const (
	byTurn    = iota // who is served next, within a lane
	byExpiry         // who is of no use first
	byArrival        // the patient ones: who has waited longest
	orders
)

func (w *Waiter) before(v *Waiter, order int) bool {
	a, b := w.rank, v.rank
	switch order {
	case byExpiry:
		a, b = w.by, v.by
	case byArrival:
		a, b = w.since, v.since
	}
	if a != b {
		return a < b
	}
	return w.seq < v.seq
}

// line is a heap of waiters in one order.
type line struct {
	order   int
	waiters []*Waiter
}

func (l *line) head() *Waiter {
	if len(l.waiters) == 0 {
		return nil
	}
	return l.waiters[0]
}

func (l *line) add(w *Waiter)  { heap.Push(l, w) }
func (l *line) drop(w *Waiter) { heap.Remove(l, int(w.at[l.order])-1) }
func (l *line) fix(w *Waiter)  { heap.Fix(l, int(w.at[l.order])-1) }

// Len, Less, Swap, Push and Pop are for container/heap.
func (l *line) Len() int           { return len(l.waiters) }
func (l *line) Less(i, j int) bool { return l.waiters[i].before(l.waiters[j], l.order) }

func (l *line) Swap(i, j int) {
	w := l.waiters
	w[i], w[j] = w[j], w[i]
	w[i].at[l.order], w[j].at[l.order] = int32(i+1), int32(j+1)
}

func (l *line) Push(x any) {
	l.waiters = append(l.waiters, x.(*Waiter))
	x.(*Waiter).at[l.order] = int32(len(l.waiters))
}

func (l *line) Pop() any {
	last := len(l.waiters) - 1
	w := l.waiters[last]
	l.waiters[last] = nil
	l.waiters = l.waiters[:last]
	w.at[l.order] = 0
	return w
}
