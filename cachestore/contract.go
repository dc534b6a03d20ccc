package cachestore

import (
	"context"
	"time"

	"github.com/eko/gocache/lib/v4/store"
)

// Sizer is a value that knows how many bytes of memory it holds, itself and everything that only it refers to.
// A byte-bounded store asks once, when the value is stored; the answer must not be negative and must not change.
type Sizer interface {
	Size() int64
}

// PointerStore is a store that keeps a value as it was handed over and gives the very same value back: no
// encoding, no copy, no checksum. What is stored in one is immutable from then on, for the caller that stored it
// and for every caller that reads it.
//
// A cache in front of it stores a pointer to a finished entry and pays nothing for its size on a hit. Every other
// store is given bytes, through an [Adapter] and an envelope ([Entries]).
type PointerStore interface {
	store.StoreInterface
	// KeepsPointers does nothing. It is the promise above.
	KeepsPointers()
}

// Bytes is the little that a cache needs of a byte store. [Adapter.Bytes] makes one of any gocache store.
//
// It has no TTL on the reading side: an entry's times travel in its envelope, and asking a remote store for the
// remaining life of a key is a second round trip on every hit.
//
// Implementations are safe for concurrent use, keep no reference to value after Set returns, and give a slice
// from Get that the caller may change.
type Bytes interface {
	// Get returns the value, or false where there is none. An error means that the store could not tell.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	// Set stores value for ttl, or without an end if ttl is zero. A negative ttl has ended: the key is deleted.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Delete removes the key. A key that is not there is not an error.
	Delete(ctx context.Context, key string) error
}

// Scanner is a [PointerStore] that can be searched.
type Scanner interface {
	// DeleteFunc removes the entries for which match is true, of all that are in the store from the
	// beginning of the call to its end. match must neither block nor use the store.
	DeleteFunc(ctx context.Context, match func(key string, value any) bool)
}
