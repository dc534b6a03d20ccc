package cachestore

import (
	"context"
	"errors"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// Cache is gocache's cache.CacheInterface[[]byte], method for method. It is repeated here because importing
// gocache's cache package would link Prometheus and protobuf into every program.
type Cache interface {
	Get(ctx context.Context, key any) ([]byte, error)
	Set(ctx context.Context, key any, object []byte, options ...store.Option) error
	Delete(ctx context.Context, key any) error
	Invalidate(ctx context.Context, options ...store.InvalidateOption) error
	Clear(ctx context.Context) error
	GetType() string
}

// AdaptCache is [Adapt] for a cache: a chain, a loadable, a metric cache. A nil slice is a miss, because a cache
// also returns it, without an error, for a value that it could not read; an empty value through a cache is
// therefore whatever that cache makes of it.
func AdaptCache(c Cache, opts ...Option) (*Adapter, error) {
	if c == nil {
		return nil, errors.New("cachestore: AdaptCache: no cache: want a cache.CacheInterface[[]byte]")
	}
	return Adapt(cacheStore{c}, opts...)
}

// cacheStore gives a Cache the face of a store.
type cacheStore struct{ Cache }

func (c cacheStore) Get(ctx context.Context, key any) (any, error) {
	value, err := c.Cache.Get(ctx, key)
	return missIfNil(value), err
}

func (c cacheStore) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	timed, ok := c.Cache.(interface {
		GetWithTTL(ctx context.Context, key any) ([]byte, time.Duration, error)
	})
	if !ok {
		value, err := c.Get(ctx, key)
		return value, 0, err
	}
	value, ttl, err := timed.GetWithTTL(ctx, key)
	return missIfNil(value), ttl, err
}

// Set is only called by an Adapter, which hands over a []byte, or a string if it was told so.
func (c cacheStore) Set(ctx context.Context, key any, value any, options ...store.Option) error {
	b, ok := value.([]byte)
	if !ok {
		b = []byte(value.(string))
	}
	return c.Cache.Set(ctx, key, b, options...)
}

// missIfNil keeps a nil slice from becoming an any that is not nil.
func missIfNil(value []byte) any {
	if value == nil {
		return nil
	}
	return value
}
