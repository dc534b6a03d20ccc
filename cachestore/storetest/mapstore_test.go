package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// mapStore is a small correct store. The faulty ones embed it and do one thing wrong.
type mapStore struct {
	mu    sync.Mutex
	items map[string]item
	bytes int
	bound int // bytes; zero is none
}

type item struct {
	value   []byte
	expires time.Time
	tags    []string
}

func newMapStore() *mapStore { return &mapStore{items: map[string]item{}} }

func (s *mapStore) Get(ctx context.Context, key any) (any, error) {
	v, _, err := s.GetWithTTL(ctx, key)
	return v, err
}

func (s *mapStore) GetWithTTL(_ context.Context, key any) (any, time.Duration, error) {
	k, ok := key.(string)
	if !ok {
		return nil, 0, fmt.Errorf("key of type %T", key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[k]
	switch {
	case !ok:
		return nil, 0, store.NotFound{}
	case it.expires.IsZero():
		return bytes.Clone(it.value), 0, nil
	case !time.Now().Before(it.expires):
		s.drop(k)
		return nil, 0, store.NotFound{}
	}
	return bytes.Clone(it.value), time.Until(it.expires), nil
}

func (s *mapStore) Set(_ context.Context, key any, value any, options ...store.Option) error {
	k, keyOK := key.(string)
	v, valueOK := value.([]byte)
	if !keyOK || !valueOK {
		return fmt.Errorf("key of type %T, value of type %T", key, value)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(k)
	o := store.ApplyOptions(options...)
	if o.Expiration < 0 {
		return nil
	}
	it := item{value: bytes.Clone(v), tags: slices.Clone(o.Tags)}
	if o.Expiration > 0 {
		it.expires = time.Now().Add(o.Expiration)
	}
	s.items[k] = it
	s.bytes += len(k) + len(v)
	for other := range s.items {
		if s.bound == 0 || s.bytes <= s.bound {
			break
		}
		s.drop(other)
	}
	return nil
}

func (s *mapStore) drop(k string) {
	if it, ok := s.items[k]; ok {
		s.bytes -= len(k) + len(it.value)
		delete(s.items, k)
	}
}

func (s *mapStore) Delete(_ context.Context, key any) error {
	k, ok := key.(string)
	if !ok {
		return fmt.Errorf("key of type %T", key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(k)
	return nil
}

func (s *mapStore) Invalidate(_ context.Context, options ...store.InvalidateOption) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tag := range store.ApplyInvalidateOptions(options...).Tags {
		for k, it := range s.items {
			if slices.Contains(it.tags, tag) {
				s.drop(k)
			}
		}
	}
	return nil
}

func (s *mapStore) Clear(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.items)
	s.bytes = 0
	return nil
}

func (s *mapStore) GetType() string { return "map" }

var errBroken = errors.New("broken")
