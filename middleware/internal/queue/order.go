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
	a, b := w.turn, v.turn
	switch order {
	case byExpiry:
		a, b = w.By, v.By
	case byArrival:
		a, b = w.Since, v.Since
	}
	if c := a.Compare(b); c != 0 {
		return c < 0
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
func (l *line) drop(w *Waiter) { heap.Remove(l, w.at[l.order]-1) }
func (l *line) fix(w *Waiter)  { heap.Fix(l, w.at[l.order]-1) }

// Len, Less, Swap, Push and Pop are for container/heap.
func (l *line) Len() int           { return len(l.waiters) }
func (l *line) Less(i, j int) bool { return l.waiters[i].before(l.waiters[j], l.order) }

func (l *line) Swap(i, j int) {
	w := l.waiters
	w[i], w[j] = w[j], w[i]
	w[i].at[l.order], w[j].at[l.order] = i+1, j+1
}

func (l *line) Push(x any) {
	l.waiters = append(l.waiters, x.(*Waiter))
	x.(*Waiter).at[l.order] = len(l.waiters)
}

func (l *line) Pop() any {
	last := len(l.waiters) - 1
	w := l.waiters[last]
	l.waiters[last] = nil
	l.waiters = l.waiters[:last]
	w.at[l.order] = 0
	return w
}
