package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/seal"
	"github.com/headgate-go/headgate/middleware"
)

// Type is what GetType says.
const Type = "disk"

// Store keeps entries in files. It is safe for concurrent use, and several processes can use one folder. [New] makes one.
type Store struct {
	folder   string
	maxBytes int64
	maxEntry int64
	write    func(f *os.File, data []byte) error // a test's disk is full

	mu       sync.Mutex // guards what follows
	stopped  bool
	written  int64  // bytes that the last sweep has not seen, or may not have seen
	inFlight int64  // of them, those of files that are being written
	sweep    *sweep // under way; nil if none is
	held     int64  // bytes that the last sweep left
	entries  int    // files that it left

	stats counters
}

type counters struct {
	hits, misses, damaged, evicted, temporaries atomic.Uint64
}

var _ store.StoreInterface = (*Store)(nil)

// New returns a store in cfg.Folder. It does no I/O.
func New(cfg Config) (*Store, error) {
	if err := middleware.Validate(Type, cfg); err != nil {
		return nil, err
	}
	s := &Store{folder: cfg.Folder, maxBytes: int64(cfg.MaxBytes), maxEntry: int64(cfg.MaxEntryBytes), write: writeAll}
	// What the folder holds is not known, so that the first Set begins a sweep.
	s.written = s.eighths(sweepEvery)
	return s, nil
}

// Start begins to look through the folder in the background. It need not be called.
func (s *Store) Start(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fail("start", cachestore.ErrStopped)
	}
	s.beginSweep()
	return nil
}

// Stop ends the sweep, if there is one, and waits for it until ctx ends. From then on every operation is an error
// that matches cachestore.ErrStopped.
func (s *Store) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	sweep := s.sweep
	s.mu.Unlock()
	if sweep == nil {
		return nil
	}
	sweep.cancel()
	select {
	case <-sweep.done:
		return nil
	case <-ctx.Done():
		return fail("stop", context.Cause(ctx))
	}
}

// Get returns the value as a []byte of the caller's own, or cachestore.ErrNotFound. Keys are those of [cachestore.Key].
func (s *Store) Get(ctx context.Context, key any) (any, error) {
	value, _, err := s.GetWithTTL(ctx, key)
	return value, err
}

// GetWithTTL is Get with the remaining life, zero where there is no end.
func (s *Store) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	k, err := cachestore.Key(key)
	if err != nil {
		return nil, 0, err
	}
	if err := s.usable(ctx); err != nil {
		return nil, 0, fail("get", err)
	}
	e, err := s.read(k)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.stats.misses.Add(1)
		return nil, 0, cachestore.ErrNotFound
	case err != nil:
		return nil, 0, fail("get", err)
	}
	s.stats.hits.Add(1)
	if e.Expires.IsZero() {
		return e.Body, 0, nil
	}
	return e.Body, max(time.Until(e.Expires), 1), nil // zero would say that there is no end
}

// Set stores a []byte or a string. Of the options it heeds store.WithExpiration (zero is no end; negative has ended,
// and deletes the key) and store.WithTags. An entry over max_entry_bytes is a *cachestore.TooLargeError; after any
// error the key holds what it held before.
func (s *Store) Set(ctx context.Context, key any, value any, options ...store.Option) error {
	k, err := cachestore.Key(key)
	if err != nil {
		return err
	}
	body, err := cachestore.Value(value)
	if err != nil {
		return err
	}
	opts := store.ApplyOptions(options...)
	if opts.Expiration < 0 {
		return s.Delete(ctx, k)
	}
	_, data, err := seal.Seal(k, body, opts, s.maxEntry)
	if err != nil {
		return err
	}
	size := int64(len(data))
	if err := s.reserve(ctx, charged(size)); err != nil {
		return fail("set", err)
	}
	defer s.landed(charged(size))
	if err := s.replace(s.path(k), data); err != nil {
		return fail("set", err)
	}
	return nil
}

// Delete removes the key, if it is there.
func (s *Store) Delete(ctx context.Context, key any) error {
	k, err := cachestore.Key(key)
	if err != nil {
		return err
	}
	if err := s.usable(ctx); err != nil {
		return fail("delete", err)
	}
	path := s.path(k)
	if err := os.Remove(path); err != nil && !absent(path, err) {
		return fail("delete", err)
	}
	return nil
}

// GetType is "disk".
func (s *Store) GetType() string { return Type }

// usable tells why an operation need not begin.
func (s *Store) usable(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return cachestore.ErrStopped
	}
	return ctx.Err()
}

func fail(op string, err error) error {
	return &cachestore.StoreError{Op: op, Store: Type, Err: err}
}
