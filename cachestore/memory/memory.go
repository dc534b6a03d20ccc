package memory

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/maypok86/otter/v2"

	"github.com/headgate-go/headgate/cachestore"
)

// Type is what GetType says.
const Type = "memory"

// EntryOverhead is what one entry is charged beyond its key, value and tags: the node and slot of the table, the
// policy's bookkeeping and the entry itself, as measured, in bytes. TagOverhead is the same for a tag of an entry.
const (
	EntryOverhead = 256
	TagOverhead   = 256
)

// Store is a byte-bounded memory store. It is safe for concurrent use, starts no goroutine that outlives a burst
// of writes, and has nothing to close. [New] makes one.
type Store struct {
	cache         *otter.Cache[string, *entry]
	tags          tagIndex
	maxEntryBytes atomic.Int64
	start         time.Time // the origin of entry.expires
	evictions     atomic.Uint64
	hits, misses  counter
}

var _ cachestore.PointerStore = (*Store)(nil)

// entry is immutable once stored.
type entry struct {
	key     string
	value   any
	expires time.Duration // since Store.start; never is no end
	weight  uint32
	tags    []string // without duplicates
}

const never = time.Duration(math.MaxInt64)

// New returns an empty store.
func New(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("memory: invalid configuration (DefaultConfig has values to start from): %w", err)
	}
	s := &Store{start: time.Now()}
	s.maxEntryBytes.Store(int64(cfg.MaxEntryBytes))
	cache, err := otter.New(&otter.Options[string, *entry]{
		MaximumWeight:    uint64(cfg.MaxBytes),
		Weigher:          func(_ string, e *entry) uint32 { return e.weight },
		OnAtomicDeletion: s.deleted,
		// No ExpiryCalculator: it starts a goroutine, and an owner would have to stop it.
	})
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	s.cache = cache
	return s, nil
}

// Update changes the bounds in use. A smaller max_bytes evicts at once; a smaller max_entry_bytes holds for what
// is stored from now on. An invalid cfg changes nothing.
func (s *Store) Update(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("memory: invalid configuration: %w", err)
	}
	s.maxEntryBytes.Store(int64(cfg.MaxEntryBytes))
	s.cache.SetMaximum(uint64(cfg.MaxBytes))
	return nil
}

// Get returns the value that was stored, itself, or cachestore.ErrNotFound. Keys are those of [cachestore.Key].
func (s *Store) Get(_ context.Context, key any) (any, error) {
	e, err := s.get(key)
	if err != nil {
		return nil, err
	}
	return e.value, nil
}

// GetWithTTL is Get with the remaining life, zero where there is no end.
func (s *Store) GetWithTTL(_ context.Context, key any) (any, time.Duration, error) {
	e, err := s.get(key)
	switch {
	case err != nil:
		return nil, 0, err
	case e.expires == never:
		return e.value, 0, nil
	}
	// The clock has moved on since get looked; zero would say that there is no end.
	return e.value, max(e.expires-time.Since(s.start), 1), nil
}

func (s *Store) get(key any) (*entry, error) {
	k, ok := key.(string)
	if !ok {
		var err error
		if k, err = cachestore.Key(key); err != nil {
			return nil, err
		}
	}
	e, ok := s.cache.GetIfPresent(k)
	if !ok {
		s.misses.add()
		return nil, cachestore.ErrNotFound
	}
	if e.expires != never && time.Since(s.start) >= e.expires {
		s.remove(e)
		s.misses.add()
		return nil, cachestore.ErrNotFound
	}
	s.hits.add()
	return e, nil
}

// Set stores value, which must not change from now on. Of the options it heeds store.WithExpiration (zero is no
// end; negative has ended, and deletes the key) and store.WithTags. A value of a type that cannot be measured is
// a *cachestore.ValueTypeError; an entry over max_entry_bytes is a *cachestore.TooLargeError, and what the key
// held before stays.
func (s *Store) Set(_ context.Context, key any, value any, options ...store.Option) error {
	k, err := cachestore.Key(key)
	if err != nil {
		return err
	}
	var opts store.Options
	if len(options) > 0 {
		opts = *store.ApplyOptions(options...)
	}
	if opts.Expiration < 0 {
		s.cache.Invalidate(k)
		return nil
	}
	e := &entry{key: k, value: value, expires: never, tags: distinct(opts.Tags)}
	if opts.Expiration > 0 {
		if now := time.Since(s.start); opts.Expiration < never-now {
			e.expires = now + opts.Expiration
		}
	}
	size, err := sizeOf(value)
	if err != nil {
		return err
	}
	limit := s.maxEntryBytes.Load()
	total := e.overhead()
	if size > limit-total {
		return &cachestore.TooLargeError{What: "entry", Size: saturatingAdd(size, total), Limit: limit}
	}
	e.weight = uint32(total + size) // at most limit, which is less than 4 GiB

	// Into the index first: whoever finds the entry by its key finds it by its tags too.
	s.tags.add(e)
	s.cache.Set(k, e)
	return nil
}

// Delete removes the key, if it is there.
func (s *Store) Delete(_ context.Context, key any) error {
	k, err := cachestore.Key(key)
	if err != nil {
		return err
	}
	s.cache.Invalidate(k)
	return nil
}

// Invalidate removes the entries that were stored with at least one of the tags of store.WithInvalidateTags. One
// that is being stored at the same time may stay.
func (s *Store) Invalidate(_ context.Context, options ...store.InvalidateOption) error {
	for _, tag := range store.ApplyInvalidateOptions(options...).Tags {
		for _, e := range s.tags.entries(tag) {
			s.remove(e)
		}
	}
	return nil
}

// Clear removes all entries.
func (s *Store) Clear(context.Context) error {
	s.cache.InvalidateAll()
	return nil
}

// GetType is "memory".
func (s *Store) GetType() string { return Type }

// KeepsPointers marks the store as a [cachestore.PointerStore].
func (s *Store) KeepsPointers() {}

// remove deletes e, and not what may have taken its place.
func (s *Store) remove(e *entry) {
	s.cache.ComputeIfPresent(e.key, func(current *entry) (*entry, otter.ComputeOp) {
		if current == e {
			return nil, otter.InvalidateOp
		}
		return nil, otter.CancelOp
	})
}

// deleted is told of every entry that leaves, whatever the cause. It runs under a lock of the table.
func (s *Store) deleted(event otter.DeletionEvent[string, *entry]) {
	if event.Cause == otter.CauseOverflow {
		s.evictions.Add(1)
	}
	s.tags.remove(event.Value)
}
