// Package queue is the waiting queue of the stages in which requests wait: the
// one that has to be served soonest comes first.
package queue

import (
	"container/heap"
	"time"
)

// Waiter is a request that waits. Its goroutine blocks on Done; whoever takes
// it off the queue decides its fate and closes the matter with Finish.
type Waiter struct {
	// By is when it has to be served at the latest: it is of no use later.
	By time.Time

	done  chan struct{}
	fate  error
	seq   uint64
	place int // in the heap; -1 when it is not in it
}

// NewWaiter makes a waiter that has to be served by the given time.
func NewWaiter(by time.Time) *Waiter {
	return &Waiter{By: by, done: make(chan struct{}), place: -1}
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

// Queue orders waiters by the time that they have to be served by, first come
// first served among equals. It does not lock and does not bound itself: its
// owner does both. The zero value is empty.
type Queue struct {
	waiters waiters
	seq     uint64
}

// Len is the number of waiters.
func (q *Queue) Len() int { return len(q.waiters) }

// Push puts w in its place.
func (q *Queue) Push(w *Waiter) {
	q.seq++
	w.seq = q.seq
	heap.Push(&q.waiters, w)
}

// Head is the waiter to be served next; nil if there is none.
func (q *Queue) Head() *Waiter {
	if len(q.waiters) == 0 {
		return nil
	}
	return q.waiters[0]
}

// Pop takes the head off the queue; nil if it is empty.
func (q *Queue) Pop() *Waiter {
	if len(q.waiters) == 0 {
		return nil
	}
	return heap.Pop(&q.waiters).(*Waiter)
}

// Remove takes w off the queue, wherever it stands. It reports false if it was
// not there any more: then its fate is decided.
func (q *Queue) Remove(w *Waiter) bool {
	if w.place < 0 {
		return false
	}
	heap.Remove(&q.waiters, w.place)
	return true
}

type waiters []*Waiter

func (w waiters) Len() int { return len(w) }

func (w waiters) Less(i, j int) bool {
	if c := w[i].By.Compare(w[j].By); c != 0 {
		return c < 0
	}
	return w[i].seq < w[j].seq
}

func (w waiters) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

func (w *waiters) Push(x any) {
	x.(*Waiter).place = len(*w)
	*w = append(*w, x.(*Waiter))
}

func (w *waiters) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	x.place = -1
	return x
}
