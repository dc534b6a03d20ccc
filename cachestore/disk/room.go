package disk

import (
	"context"

	"github.com/headgate-go/headgate/cachestore"
)

func (s *Store) eighths(n int64) int64 { return s.maxBytes / 8 * n }

// reserve makes room for a file of size bytes. It begins a sweep when there is reason to, and waits for one only when
// there is no room without. After it, landed is called once.
func (s *Store) reserve(ctx context.Context, size int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if s.stopped {
			return cachestore.ErrStopped
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.written+size > s.eighths(sweepEvery) {
			s.beginSweep()
		}
		if s.written+size <= s.eighths(writeAhead) {
			s.add(size)
			return nil
		}
		if err := s.wait(ctx, s.sweep); err != nil && !s.stopped {
			return err
		}
	}
}

// add counts bytes that will be written. A sweep that is under way may come too early to see them.
func (s *Store) add(size int64) {
	s.written += size
	s.inFlight += size
	if s.sweep != nil {
		s.sweep.unseen += size
	}
}

// landed says that a file of size bytes, for which room was reserved, is in its place or was given up.
func (s *Store) landed(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight -= size
}

// wait waits for the sweep with the lock released.
func (s *Store) wait(ctx context.Context, w *sweep) error {
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beginSweep starts a sweep unless one is under way. The lock is held.
func (s *Store) beginSweep() {
	if s.sweep != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &sweep{cancel: cancel, done: make(chan struct{}), unseen: s.inFlight}
	s.sweep = w
	go func() {
		defer cancel()
		defer close(w.done)
		w.err = s.run(ctx, w)
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.err == nil {
			s.written, s.held, s.entries = w.unseen, w.total, w.entries
		}
		s.sweep = nil
	}()
}
