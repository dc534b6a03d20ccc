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

// Store is a byte-bounded memory store. It is safe for concurrent use, starts no goroutine, and has nothing to
// close. [New] makes one.
type Store struct {
	cache         *otter.Cache[string, entry]
	tags          tagIndex
	maxEntryBytes atomic.Int64
	start         time.Time // the origin of entry.expires
	evictions     atomic.Uint64
	hits, misses  counter
}

var _ cachestore.PointerStore = (*Store)(nil)

// entry lies in the table itself, beside its key.
type entry struct {
	value   any
	expires time.Duration // since Store.start; never is no end
	weight  uint32
	tagged  *tagged // nil without tags
}

const never = time.Duration(math.MaxInt64)

// New returns an empty store.
func New(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("memory: invalid configuration (DefaultConfig has values to start from): %w", err)
	}
	s := &Store{start: time.Now()}
	s.maxEntryBytes.Store(int64(cfg.MaxEntryBytes))
	cache, err := otter.New(&otter.Options[string, entry]{
		MaximumWeight:    uint64(cfg.MaxBytes),
		Weigher:          func(_ string, e entry) uint32 { return e.weight },
		OnAtomicDeletion: s.deleted,
		// Evicting takes a writer less time than waking a goroutine for it does.
		Executor: func(evict func()) { evict() },
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
	k, err := cachestore.Key(key)
	if err != nil {
		return nil, err
	}
	return s.GetString(k)
}

// GetString is Get for a key that is a string: to make an any of one is an allocation, at every call, which counts
// beside a Get that has no other.
func (s *Store) GetString(key string) (any, error) {
	e, ok := s.get(key)
	if !ok {
		return nil, cachestore.ErrNotFound
	}
	return e.value, nil
}

// GetWithTTL is Get with the remaining life, zero where there is no end.
func (s *Store) GetWithTTL(_ context.Context, key any) (any, time.Duration, error) {
	k, err := cachestore.Key(key)
	if err != nil {
		return nil, 0, err
	}
	e, ok := s.get(k)
	switch {
	case !ok:
		return nil, 0, cachestore.ErrNotFound
	case e.expires == never:
		return e.value, 0, nil
	}
	// The clock has moved on since get looked; zero would say that there is no end.
	return e.value, max(e.expires-time.Since(s.start), 1), nil
}

func (s *Store) get(key string) (entry, bool) {
	e, ok := s.cache.GetIfPresent(key)
	if ok && s.expired(e) {
		s.removeIf(key, s.expired)
		ok = false
	}
	if !ok {
		s.misses.add()
		return entry{}, false
	}
	s.hits.add()
	return e, true
}

func (s *Store) expired(e entry) bool { return e.expires != never && time.Since(s.start) >= e.expires }

// Set stores value, which must not change from now on. Of the options it heeds store.WithExpiration (zero is no
// end; negative has ended, and deletes the key) and store.WithTags. A value of a type that cannot be measured is
// a *cachestore.ValueTypeError; an entry over max_entry_bytes is a *cachestore.TooLargeError, and what the key
// held before stays.
func (s *Store) Set(_ context.Context, key any, value any, options ...store.Option) error {
	k, err := cachestore.Key(key)
	if err != nil {
		return err
	}
	return s.SetString(k, value, options...)
}

// SetString is Set for a key that is a string.
func (s *Store) SetString(key string, value any, options ...store.Option) error {
	var opts store.Options
	if len(options) > 0 {
		opts = *store.ApplyOptions(options...)
	}
	if opts.Expiration < 0 {
		s.cache.Invalidate(key)
		return nil
	}
	e := entry{value: value, expires: never, tagged: newTagged(key, opts.Tags)}
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
	total := int64(EntryOverhead+len(key)) + e.tagged.overhead()
	if size > limit-total {
		return &cachestore.TooLargeError{What: "entry", Size: saturatingAdd(size, total), Limit: limit}
	}
	e.weight = uint32(total + size) // at most limit, which is less than 4 GiB

	// Into the index first: whoever finds the entry by its key finds it by its tags too.
	s.tags.add(e.tagged)
	s.cache.Set(key, e)
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
		for _, t := range s.tags.entries(tag) {
			s.removeIf(t.key, func(e entry) bool { return e.tagged == t })
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

// removeIf deletes the entry of a key if it is the one that is meant, and not what may have taken its place.
func (s *Store) removeIf(key string, meant func(entry) bool) {
	s.cache.ComputeIfPresent(key, func(current entry) (entry, otter.ComputeOp) {
		if meant(current) {
			return entry{}, otter.InvalidateOp
		}
		return current, otter.CancelOp
	})
}

// deleted is told of every entry that leaves, whatever the cause. It runs under a lock of the table.
func (s *Store) deleted(event otter.DeletionEvent[string, entry]) {
	if event.Cause == otter.CauseOverflow {
		s.evictions.Add(1)
	}
	s.tags.remove(event.Value.tagged)
}
