package httpcache

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
)

// shelf keeps resources in a store.
type shelf struct {
	store store.StoreInterface
	seed  maphash.Seed
	used  atomic.Bool // something was put, so that invalidating has a point
	split atomic.Bool // some of it under keys that an invalidation cannot name

	// Changes of one key take turns: what is stored is read, changed and written.
	stripes [64]stripe
}

// stripe is shared by the keys of one hash.
type stripe struct {
	mu sync.Mutex
	// generation counts invalidations. An answer that was asked for under an
	// older one may be from before the change, and is not stored. That keys share
	// a counter only costs an answer that could have been stored.
	generation atomic.Uint64
	_          [48]byte // stripes do not share a cache line
}

func newShelf(s store.StoreInterface) *shelf { return &shelf{store: s, seed: maphash.MakeSeed()} }

func (s *shelf) stripe(url string) *stripe {
	return &s.stripes[maphash.String(s.seed, url)%uint64(len(s.stripes))]
}

// generation of what is stored of url, noted before the upstream is asked.
func (s *shelf) generation(url string) uint64 { return s.stripe(url).generation.Load() }

// get gives what is stored under key; nil for nothing. An error means that the
// store could not tell.
func (s *shelf) get(ctx context.Context, key string) (*resource, error) {
	v, err := s.store.Get(ctx, key)
	if err != nil {
		if err == error(cachestore.ErrNotFound) || cachestore.IsMiss(err) {
			return nil, nil
		}
		return nil, err
	}
	r, ok := v.(*resource)
	if !ok || r.key != key {
		return nil, nil
	}
	return r, nil
}

// place says where an answer belongs.
type place struct {
	key        string
	url        string
	split      bool // key is not url alone, so that an invalidation of url finds it by its tag
	generation uint64
}

// put adds an answer to what is stored, unless it was invalidated meanwhile.
func (s *shelf) put(ctx context.Context, at *place, e *entry, variants int, maxBytes int64) (stored bool, err error) {
	st := s.stripe(at.url)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.generation.Load() != at.generation {
		return false, nil
	}
	old, err := s.get(ctx, at.key)
	if err != nil {
		return false, err
	}
	if old == nil {
		old = &resource{key: at.key}
	}
	s.used.Store(true)
	return true, s.set(ctx, at, old.with(e, variants, maxBytes))
}

// alone notes that the answers under a key cannot be shared for the time being.
func (s *shelf) alone(ctx context.Context, at *place, until time.Time) error {
	st := s.stripe(at.url)
	st.mu.Lock()
	defer st.mu.Unlock()
	old, err := s.get(ctx, at.key)
	if err != nil {
		return err
	}
	next := &resource{key: at.key, aloneUntil: until}
	if old != nil {
		next.entries = old.entries
	}
	return s.set(ctx, at, next.weigh())
}

func (s *shelf) set(ctx context.Context, at *place, r *resource) error {
	// Without an expiration: an entry carries its own times, and a stale one
	// can still be asked about. What nobody wants leaves by eviction.
	if !at.split {
		return s.store.Set(ctx, at.key, r)
	}
	s.split.Store(true)
	return s.store.Set(ctx, at.key, r, store.WithTags([]string{at.url}))
}

// invalidate removes what is stored of url, for every caller.
func (s *shelf) invalidate(ctx context.Context, url string) error {
	st := s.stripe(url)
	st.generation.Add(1)
	if !s.used.Load() {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	err := s.store.Delete(ctx, url)
	if s.split.Load() {
		if tagged := s.store.Invalidate(ctx, store.WithInvalidateTags([]string{url})); err == nil {
			err = tagged
		}
	}
	return err
}
