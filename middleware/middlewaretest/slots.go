package middlewaretest

import (
	"container/list"
	"sync"
	"time"
)

// slots is the upstream's capacity with its accept queue, first in, first out.
//
// It hands a slot on at the time when the service before it was due to end, not when its timer fired: a timer
// that is late by a millisecond would otherwise take 2 % of the capacity of a 50 ms service, and every figure
// computed from the nominal capacity would be off by as much.
type slots struct {
	mu        sync.Mutex
	capacity  int // 0: no limit
	bound     int // of the queue; Unbounded: none
	inUse     int
	queue     list.List // of *ticket
	maxInUse  int
	maxQueued int
}

// ticket is one request's place in the queue.
type ticket struct {
	arrived time.Time
	granted chan time.Time // receives once: when the service starts
	element *list.Element  // nil once the slot is granted; guarded by slots.mu
}

// enter takes a place in a slot or in the queue, or reports that neither is free.
func (s *slots) enter(now time.Time) (*ticket, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &ticket{arrived: now, granted: make(chan time.Time, 1)}
	if s.free() && s.queue.Len() == 0 {
		s.take(t, now)
		return t, true
	}
	if s.bound != Unbounded && s.queue.Len() >= s.bound {
		return nil, false
	}
	t.element = s.queue.PushBack(t)
	s.maxQueued = max(s.maxQueued, s.queue.Len())
	return t, true
}

// leave gives a granted slot back as of the time at.
func (s *slots) leave(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inUse--
	s.grant(at)
}

// abandon gives a place back, wherever it is.
func (s *slots) abandon(t *ticket, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.element != nil {
		s.queue.Remove(t.element)
		t.element = nil
		return
	}
	s.inUse--
	s.grant(now)
}

// resize changes the capacity; slots in use beyond it end in their own time.
func (s *slots) resize(capacity int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capacity = capacity
	s.grant(now)
}

// levels reports how many are served and how many wait, now and at most.
func (s *slots) levels() (inUse, maxInUse, queued, maxQueued int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse, s.maxInUse, s.queue.Len(), s.maxQueued
}

func (s *slots) free() bool { return s.capacity == 0 || s.inUse < s.capacity }

func (s *slots) take(t *ticket, start time.Time) {
	s.inUse++
	s.maxInUse = max(s.maxInUse, s.inUse)
	t.granted <- start
}

func (s *slots) grant(at time.Time) {
	for s.queue.Len() > 0 && s.free() {
		t := s.queue.Remove(s.queue.Front()).(*ticket)
		t.element = nil
		start := at
		if t.arrived.After(start) {
			start = t.arrived
		}
		s.take(t, start)
	}
}
