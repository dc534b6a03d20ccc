package cachestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// Adapter makes any gocache store behave as a store of bytes should:
//
//   - values are []byte or string going in, []byte coming out, and never share memory with the store;
//   - nil and every kind of "not found" is [ErrNotFound];
//   - keys reach the store as a prefix and a SHA-256 in hex, so that any key of any length works with any store,
//     cannot leave the prefix, and shows no URL to whoever lists the keys; tags likewise;
//   - a TTL is rounded up to what the store can keep; a negative one deletes the key;
//   - deleting what is not there is no error;
//   - an error is a *[StoreError] that quotes neither key nor value;
//   - Clear does not reach beyond what is the adapter's own; see [WithExclusive].
//
// It is itself a store.StoreInterface; a cache takes its [Adapter.Bytes]. It adds no locks: it is safe for
// concurrent use as far as the store is.
type Adapter struct {
	inner store.StoreInterface
	settings
}

var _ store.StoreInterface = (*Adapter)(nil)

// deleteAttempts is how often Delete tries to tell a store that cannot delete from one that had nothing to delete.
const deleteAttempts = 3

// Adapt returns an Adapter over s.
func Adapt(s store.StoreInterface, opts ...Option) (*Adapter, error) {
	a := &Adapter{inner: s, settings: settings{prefix: DefaultPrefix, ttlResolution: DefaultTTLResolution}}
	for _, opt := range opts {
		opt(&a.settings)
	}
	var missing error
	if s == nil {
		missing = errors.New("no store: want a store.StoreInterface")
	}
	if err := errors.Join(missing, a.validate()); err != nil {
		return nil, fmt.Errorf("cachestore: Adapt: %w", err)
	}
	return a, nil
}

// Get returns the value as a []byte of the caller's own.
func (a *Adapter) Get(ctx context.Context, key any) (any, error) {
	name, err := a.name(key)
	if err != nil {
		return nil, err
	}
	value, err := a.get(ctx, name)
	if err != nil {
		return nil, err
	}
	return value, nil
}

// GetWithTTL is Get with the remaining life as the store tells it, zero where there is no end or the store does
// not say. Several stores round it to seconds.
func (a *Adapter) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	name, err := a.name(key)
	if err != nil {
		return nil, 0, err
	}
	if err := ctx.Err(); err != nil {
		return nil, 0, a.fail("get", err)
	}
	raw, ttl, err := a.inner.GetWithTTL(ctx, name)
	value, err := a.normalize(raw, err)
	if err != nil {
		return nil, 0, err
	}
	return value, max(ttl, 0), nil
}

// Set stores a []byte or a string. The store's own options apply, with the TTL rounded up, tags hashed, and a
// cost of the entry's bytes where none is given: without one ristretto has no bound.
func (a *Adapter) Set(ctx context.Context, key any, value any, options ...store.Option) error {
	name, err := a.name(key)
	if err != nil {
		return err
	}
	body, err := Value(value)
	if err != nil {
		return err
	}
	return a.set(ctx, name, body, options)
}

// Delete removes the key, if it is there.
func (a *Adapter) Delete(ctx context.Context, key any) error {
	name, err := a.name(key)
	if err != nil {
		return err
	}
	return a.delete(ctx, name)
}

// Invalidate removes the entries that were stored with one of the tags, as well as the store can.
func (a *Adapter) Invalidate(ctx context.Context, options ...store.InvalidateOption) error {
	if err := ctx.Err(); err != nil {
		return a.fail("invalidate", err)
	}
	tags := store.ApplyInvalidateOptions(options...).Tags
	if err := a.inner.Invalidate(ctx, store.WithInvalidateTags(a.names(tags))); err != nil && !a.missed(err) {
		return a.fail("invalidate", err)
	}
	return nil
}

// Clear empties the store if it is the adapter's alone, see [WithExclusive]; else it does nothing and returns an
// error that matches store.ErrNotSupported.
func (a *Adapter) Clear(ctx context.Context) error {
	if !a.exclusive {
		return a.fail("clear", store.ErrNotSupported)
	}
	if err := ctx.Err(); err != nil {
		return a.fail("clear", err)
	}
	if err := a.inner.Clear(ctx); err != nil {
		return a.fail("clear", err)
	}
	return nil
}

// GetType is the type of the store behind the adapter.
func (a *Adapter) GetType() string { return a.inner.GetType() }

// Bytes is the adapter as the cache uses it.
func (a *Adapter) Bytes() Bytes { return adapterBytes{a} }

type adapterBytes struct{ a *Adapter }

func (b adapterBytes) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := b.a.get(ctx, b.a.hashed(key))
	if err == ErrNotFound {
		return nil, false, nil
	}
	return value, err == nil, err
}

func (b adapterBytes) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	return b.a.set(ctx, b.a.hashed(key), value, []store.Option{store.WithExpiration(ttl)})
}

func (b adapterBytes) Delete(ctx context.Context, key string) error {
	return b.a.delete(ctx, b.a.hashed(key))
}

func (a *Adapter) get(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, a.fail("get", err)
	}
	return a.normalize(a.inner.Get(ctx, name))
}

// normalize turns what a store answered to a read into a value of the caller's own, ErrNotFound, or an error.
func (a *Adapter) normalize(raw any, err error) ([]byte, error) {
	switch {
	case err != nil && a.missed(err):
		return nil, ErrNotFound
	case err != nil:
		return nil, a.fail("get", err)
	}
	switch v := raw.(type) {
	case nil:
		return nil, ErrNotFound
	case []byte:
		return clone(v), nil
	case string:
		return []byte(v), nil
	default:
		return nil, a.fail("get", &ValueTypeError{Type: fmt.Sprintf("%T", raw), Want: "[]byte or string"})
	}
}

func (a *Adapter) set(ctx context.Context, name string, value []byte, options []store.Option) error {
	if err := ctx.Err(); err != nil {
		return a.fail("set", err)
	}
	if store.ApplyOptions(options...).Expiration < 0 {
		return a.delete(ctx, name)
	}
	// Last, so that it also sees the defaults that the store was made with.
	adjust := func(o *store.Options) {
		o.Expiration = roundUp(o.Expiration, a.ttlResolution)
		o.Tags = a.names(o.Tags)
		if o.Cost == 0 {
			o.Cost = int64(len(name) + len(value))
		}
	}
	var own any
	if a.strings {
		own = string(value)
	} else {
		own = clone(value)
	}
	if err := a.inner.Set(ctx, name, own, append(options[:len(options):len(options)], adjust)...); err != nil {
		return a.fail("set", err)
	}
	return nil
}

func (a *Adapter) delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return a.fail("delete", err)
	}
	for attempt := 1; ; attempt++ {
		err := a.inner.Delete(ctx, name)
		if err == nil || a.missed(err) {
			return nil
		}
		// freecache and others fail without saying that the key was not there; asking is the only way to know.
		if _, getErr := a.get(ctx, name); getErr == ErrNotFound {
			return nil
		} else if getErr != nil || attempt == deleteAttempts {
			return a.fail("delete", err)
		}
		// The key is there: Delete does not work, or somebody has stored it since it failed.
	}
}

func (a *Adapter) missed(err error) bool {
	return IsMiss(err) || a.isMiss != nil && a.isMiss(err)
}

func (a *Adapter) fail(op string, err error) error {
	return &StoreError{Op: op, Store: a.inner.GetType(), Err: err}
}

func (a *Adapter) name(key any) (string, error) {
	k, err := Key(key)
	if err != nil {
		return "", err
	}
	return a.hashed(k), nil
}

func (a *Adapter) names(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	out := make([]string, len(tags))
	for i, tag := range tags {
		out[i] = a.hashed(tag)
	}
	return out
}

func (a *Adapter) hashed(key string) string {
	sum := sha256.Sum256([]byte(key))
	var buf [maxPrefixBytes + 2*sha256.Size]byte
	return string(hex.AppendEncode(append(buf[:0], a.prefix...), sum[:]))
}

// clone copies b, and an empty or nil b to an empty slice that is not nil, which some stores take for a miss.
func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

// roundUp rounds d up to a multiple of unit, or leaves it where that would overflow.
func roundUp(d, unit time.Duration) time.Duration {
	if rest := d % unit; rest > 0 && d <= math.MaxInt64-(unit-rest) {
		d += unit - rest
	}
	return d
}
