package cachestore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// naive is what an Adapter has to live with, the habits of several published gocache stores in one: it panics on
// keys that are not strings, keeps and hands out the caller's slice, keeps whole seconds only and takes none for
// ever, answers a miss with an error of its own, fails to delete what is not there, prints values, and empties
// everything on Clear.
type naive struct {
	mu      sync.Mutex
	items   map[string]naiveItem
	strings bool  // takes and gives strings
	fail    error // for every call
	last    store.Options
}

type naiveItem struct {
	value   any
	expires time.Time
	tags    []string
}

var errNaiveMiss = errors.New("memcache: cache miss")

func newNaive() *naive { return &naive{items: map[string]naiveItem{}} }

func (s *naive) Get(ctx context.Context, key any) (any, error) {
	v, _, err := s.GetWithTTL(ctx, key)
	return v, err
}

func (s *naive) GetWithTTL(_ context.Context, key any) (any, time.Duration, error) {
	k := key.(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[k]
	switch {
	case s.fail != nil:
		return nil, 0, s.fail
	case !ok:
		return nil, -2, errNaiveMiss
	case it.expires.IsZero():
		return it.value, -1, nil
	case !time.Now().Before(it.expires):
		return nil, -2, errNaiveMiss
	}
	return it.value, time.Until(it.expires), nil
}

func (s *naive) Set(_ context.Context, key any, value any, options ...store.Option) error {
	k := key.(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return fmt.Errorf("cannot store %q: %w", value, s.fail)
	}
	if s.strings {
		value = value.(string)
	} else {
		value = value.([]byte)
	}
	s.last = *store.ApplyOptions(options...)
	it := naiveItem{value: value, tags: s.last.Tags}
	if seconds := int(s.last.Expiration.Seconds()); seconds > 0 {
		it.expires = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	s.items[k] = it
	return nil
}

func (s *naive) Delete(_ context.Context, key any) error {
	k := key.(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	if _, ok := s.items[k]; !ok {
		return fmt.Errorf("failed to delete key %v", key)
	}
	delete(s.items, k)
	return nil
}

func (s *naive) Invalidate(_ context.Context, options ...store.InvalidateOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	for _, tag := range store.ApplyInvalidateOptions(options...).Tags {
		for k, it := range s.items {
			for _, has := range it.tags {
				if has == tag {
					delete(s.items, k)
				}
			}
		}
	}
	return nil
}

func (s *naive) Clear(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	clear(s.items)
	return nil
}

func (s *naive) GetType() string { return "naive" }

// naiveCache is a cache.CacheInterface[[]byte] over it: a value that it cannot read is nil without an error.
type naiveCache struct{ s *naive }

func (c naiveCache) Get(ctx context.Context, key any) ([]byte, error) {
	v, err := c.s.Get(ctx, key)
	b, _ := v.([]byte)
	return b, err
}

func (c naiveCache) Set(ctx context.Context, key any, v []byte, o ...store.Option) error {
	return c.s.Set(ctx, key, v, o...)
}
func (c naiveCache) Delete(ctx context.Context, key any) error { return c.s.Delete(ctx, key) }
func (c naiveCache) Invalidate(ctx context.Context, o ...store.InvalidateOption) error {
	return c.s.Invalidate(ctx, o...)
}
func (c naiveCache) Clear(ctx context.Context) error { return c.s.Clear(ctx) }
func (c naiveCache) GetType() string                 { return "naive cache" }

// timedCache also knows TTLs, as cache.SetterCacheInterface does.
type timedCache struct{ naiveCache }

func (c timedCache) GetWithTTL(ctx context.Context, key any) ([]byte, time.Duration, error) {
	v, ttl, err := c.s.GetWithTTL(ctx, key)
	b, _ := v.([]byte)
	return b, ttl, err
}
