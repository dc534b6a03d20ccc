package httpcache

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// shelf keeps resources in a store, and sees to it that nothing is kept that was
// purged while it was on its way.
type shelf struct {
	keeper keeper
	own    bool // nobody else puts anything in the store
	seed   maphash.Seed

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
	used       atomic.Bool // something was put, so that invalidating has a point
	_          [40]byte    // stripes do not share a cache line
}

func newShelf(k keeper, own bool) *shelf {
	return &shelf{keeper: k, own: own, seed: maphash.MakeSeed()}
}

func (s *shelf) stripe(url string) *stripe {
	return &s.stripes[maphash.String(s.seed, url)%uint64(len(s.stripes))]
}

// generation of what is stored of url, noted before the upstream is asked.
func (s *shelf) generation(url string) uint64 { return s.stripe(url).generation.Load() }

// place says where an answer belongs.
type place struct {
	key        string
	url        string
	split      bool // key is not url alone
	generation uint64
	stamp      stamp // of a byte store
}

// put adds an answer to what is stored, unless it was purged meanwhile.
func (s *shelf) put(ctx context.Context, at *place, e *entry, variants int, maxBytes int64) (stored bool, err error) {
	st := s.stripe(at.url)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.generation.Load() != at.generation {
		return false, nil
	}
	old, err := s.keeper.get(ctx, at.key)
	if err != nil {
		return false, err
	}
	var others []*entry
	if old != nil {
		others = old.entries
	}
	st.used.Store(true)
	return s.keeper.set(ctx, *at, others, newResource(at, e, others, variants, maxBytes))
}

// alone notes that the answers under a key cannot be shared for the time being.
func (s *shelf) alone(ctx context.Context, at *place, until time.Time) error {
	st := s.stripe(at.url)
	st.mu.Lock()
	defer st.mu.Unlock()
	old, err := s.keeper.get(ctx, at.key)
	if err != nil {
		return err
	}
	next := &resource{key: at.key, url: at.url, aloneUntil: until}
	if old != nil {
		next.entries = old.entries
	}
	_, err = s.keeper.set(ctx, *at, next.entries, next.weigh())
	return err
}

// invalidate removes what is stored of a URL, for every caller. url is not kept.
func (s *shelf) invalidate(ctx context.Context, url []byte) error {
	st := &s.stripes[maphash.Bytes(s.seed, url)%uint64(len(s.stripes))]
	st.generation.Add(1)
	if s.own && !st.used.Load() {
		return nil
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return s.keeper.purgeURL(ctx, string(url))
}

// purge runs a purge that may concern every key: it first has everything that is
// on its way discarded, and waits for what is being stored at this moment.
func (s *shelf) purge(run func() error) error {
	for i := range s.stripes {
		st := &s.stripes[i]
		st.mu.Lock()
		st.generation.Add(1)
		st.mu.Unlock()
	}
	return run()
}

// drop removes one key of a URL.
func (s *shelf) drop(ctx context.Context, at *place) error {
	st := s.stripe(at.url)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.generation.Add(1)
	return s.keeper.drop(ctx, at.key)
}
