package middlewaretest

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is what an upstream has counted so far.
type Stats struct {
	// Requests seen, those turned away included. A client's retries count one each: these are attempts.
	Requests int
	// Busy requests were turned away because slots and queue were full.
	Busy int
	// Answered requests got their whole answer, busy ones included.
	Answered int
	// Abandoned requests lost their client before the answer was complete.
	Abandoned int
	// Faulted requests met a fault of the script's: reset, cut, or a hang until Close.
	Faulted int
	// Status counts the answers begun, by status code.
	Status map[int]int
	// Calls counts the requests by the value of Config.CallHeader; those without it are not counted.
	Calls map[string]int
	// OtherCalls counts the requests of the calls beyond Config.MaxCalls.
	OtherCalls int

	// Serving and Queued requests, now; MaxServing and MaxQueued, at most so far.
	Serving, MaxServing int
	Queued, MaxQueued   int

	// Connections accepted so far, and OpenConnections among them.
	Connections, OpenConnections int
	// BodyBytes of requests read so far.
	BodyBytes int64
	// ReceivedBytes on the wire so far, with headers, framing and encryption.
	ReceivedBytes int64
}

// recorder keeps the counts and the last requests, and wakes whoever waits for a change.
type recorder struct {
	received atomic.Int64

	mu       sync.Mutex
	cfg      Config
	stats    Stats
	requests []*Request // a ring once it is full
	next     int        // where the ring's next request goes
	waiters  map[chan struct{}]struct{}
}

func newRecorder(cfg Config) *recorder {
	return &recorder{
		cfg:     cfg,
		stats:   Stats{Status: make(map[int]int), Calls: make(map[string]int)},
		waiters: make(map[chan struct{}]struct{}),
	}
}

// update changes the counts and wakes the waiters.
func (r *recorder) update(change func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.stats)
	r.wake()
}

// changed wakes the waiters after a change of what is counted elsewhere.
func (r *recorder) changed() { r.update(func(*Stats) {}) }

func (r *recorder) wake() {
	for w := range r.waiters {
		select {
		case w <- struct{}{}:
		default: // it has been woken and has not looked yet
		}
	}
}

// count adds a request to its call.
func (s *Stats) count(call string, maxCalls int) {
	if call == "" {
		return
	}
	if _, known := s.Calls[call]; !known && len(s.Calls) >= maxCalls {
		s.OtherCalls++
		return
	}
	s.Calls[call]++
}

// Stats returns a copy of the counts.
func (u *Upstream) Stats() Stats {
	u.rec.mu.Lock()
	s := u.rec.stats
	s.Status = maps.Clone(s.Status)
	s.Calls = maps.Clone(s.Calls)
	u.rec.mu.Unlock()
	s.Serving, s.MaxServing, s.Queued, s.MaxQueued = u.slots.levels()
	s.ReceivedBytes = u.rec.received.Load()
	return s
}

// Await waits until the counts are as wanted. It looks after every change, not at intervals, and returns the
// context's error if that ends first. ReceivedBytes alone is no change.
func (u *Upstream) Await(ctx context.Context, wanted func(Stats) bool) error {
	changed := make(chan struct{}, 1)
	u.rec.mu.Lock()
	u.rec.waiters[changed] = struct{}{}
	u.rec.mu.Unlock()
	defer func() {
		u.rec.mu.Lock()
		delete(u.rec.waiters, changed)
		u.rec.mu.Unlock()
	}()
	for !wanted(u.Stats()) {
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
