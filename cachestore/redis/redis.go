package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/redis/go-redis/v9"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/internal/seal"
	"github.com/headgate-go/headgate/cachestore/internal/taglist"
	"github.com/headgate-go/headgate/middleware"
)

// Type is what GetType says.
const Type = "redis"

// Store keeps entries in Redis. It is safe for concurrent use and starts no goroutine. [New] and [Open] make one.
type Store struct {
	client  redis.UniversalClient
	owned   bool // Stop closes the client
	stopped atomic.Bool
	cfg     Config
	stats   counters
}

type counters struct {
	hits, misses, damaged atomic.Uint64
}

var _ store.StoreInterface = (*Store)(nil)

// New returns a store over client, which stays the caller's to close. It does no I/O.
func New(client redis.UniversalClient, cfg Config) (*Store, error) {
	if err := middleware.Validate(Type, cfg); err != nil {
		return nil, err
	}
	if client == nil {
		return nil, errors.New("redis: no client: want a redis.UniversalClient")
	}
	if !endsWithContext(client) {
		return nil, fmt.Errorf("redis: a %T without ContextTimeoutEnabled, so that timeout would not hold; make it with that option", client)
	}
	return &Store{client: client, cfg: cfg}, nil
}

// endsWithContext tells whether the client heeds the deadlines of contexts. Of a client of another kind it believes it.
func endsWithContext(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return c.Options().ContextTimeoutEnabled
	}
	return true
}

// Get returns the value as a []byte of the caller's own, or cachestore.ErrNotFound. Keys are those of [cachestore.Key].
func (s *Store) Get(ctx context.Context, key any) (any, error) {
	value, _, err := s.GetWithTTL(ctx, key)
	return value, err
}

// GetWithTTL is Get with the remaining life, zero where there is no end. It costs no more: the end is in the entry.
func (s *Store) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	k, err := cachestore.Key(key)
	if err != nil {
		return nil, 0, err
	}
	ctx, done, err := s.begin(ctx)
	defer done()
	if err != nil {
		return nil, 0, fail("get", err)
	}
	e, err := s.read(ctx, k)
	switch {
	case errors.Is(err, redis.Nil):
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

// read gives the entry of key, or redis.Nil. What is no entry of key is deleted on the way.
func (s *Store) read(ctx context.Context, key string) (cachestore.Entry, error) {
	name := s.entryName(key)
	// GETRANGE is GET with a bound: whatever lies there, no more of it is read than an entry may have. To it, nothing is
	// an empty string, which is no entry.
	data, err := s.client.GetRange(ctx, name, 0, int64(s.cfg.MaxEntryBytes)).Bytes()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachestore.Entry{}, err
	}
	if err == nil && len(data) == 0 {
		return cachestore.Entry{}, redis.Nil
	}
	e, err := cachestore.Decode(data, key)
	if err != nil {
		s.stats.damaged.Add(1)
	} else if e.Expires.IsZero() || time.Now().Before(e.Expires) {
		return e, nil
	}
	s.client.Unlink(ctx, name) // if that does not work, the next reader tries again
	return cachestore.Entry{}, redis.Nil
}

// Set stores a []byte or a string. Of the options it heeds store.WithExpiration (zero is no end; negative has ended,
// and deletes the key) and store.WithTags. An entry over max_entry_bytes is a *cachestore.TooLargeError, and the key holds
// what it held before; after a *cachestore.StoreError it may hold either.
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
	e, data, err := seal.Seal(k, body, opts, int64(s.cfg.MaxEntryBytes))
	if err != nil {
		return err
	}
	ttl := (opts.Expiration + time.Millisecond - 1).Truncate(time.Millisecond) // the server's unit
	ctx, done, err := s.begin(ctx)
	defer done()
	if err == nil {
		err = s.addTags(ctx, k, taglist.Distinct(opts.Tags), e.Expires)
	}
	if err == nil {
		err = s.client.Set(ctx, s.entryName(k), data, ttl).Err()
	}
	if err != nil {
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
	ctx, done, err := s.begin(ctx)
	defer done()
	if err == nil {
		err = s.client.Unlink(ctx, s.entryName(k)).Err()
	}
	if err != nil {
		return fail("delete", err)
	}
	return nil
}

// GetType is "redis".
func (s *Store) GetType() string { return Type }

// Stop closes the client if the store has made it itself. From then on every operation is an error that matches
// cachestore.ErrStopped.
func (s *Store) Stop(context.Context) error {
	if s.stopped.Swap(true) || !s.owned {
		return nil
	}
	if err := s.client.Close(); err != nil {
		return fail("stop", err)
	}
	return nil
}

// begin bounds an operation. done is called in any case.
func (s *Store) begin(ctx context.Context) (_ context.Context, done context.CancelFunc, err error) {
	ctx, done = context.WithTimeout(ctx, s.cfg.Timeout)
	if s.stopped.Load() {
		return ctx, done, cachestore.ErrStopped
	}
	return ctx, done, ctx.Err()
}

func (s *Store) entryName(key string) string { return s.name("e:", key) }
func (s *Store) tagName(tag string) string   { return s.name("t:", tag) }

func (s *Store) name(kind, key string) string {
	sum := sha256.Sum256([]byte(key))
	return s.cfg.Prefix + kind + hex.EncodeToString(sum[:])
}

func fail(op string, err error) error {
	return &cachestore.StoreError{Op: op, Store: Type, Err: err}
}
