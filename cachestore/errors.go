package cachestore

import (
	"errors"
	"fmt"

	"github.com/eko/gocache/lib/v4/store"
)

// ErrNotFound is the one value that stores of this module return for a miss. It is gocache's own shape, a
// *store.NotFound, so whatever gocache's users write to recognise a miss works on it:
//
//	errors.Is(err, store.NotFound{})
//	errors.As(err, &notFound) // var notFound *store.NotFound
//	err == cachestore.ErrNotFound
//
// It is shared because a miss is an ordinary answer, and an error value for each would be an allocation for each.
var ErrNotFound = store.NotFoundWithCause(nil)

var (
	// ErrKeyType matches a *KeyTypeError.
	ErrKeyType = errors.New("cachestore: key type not supported")
	// ErrValueType matches a *ValueTypeError.
	ErrValueType = errors.New("cachestore: value type not supported")
	// ErrTooLarge matches a *TooLargeError.
	ErrTooLarge = errors.New("cachestore: entry too large")
	// ErrEnvelope matches an *EnvelopeError: the bytes are not a whole, undamaged entry of this version for this key.
	ErrEnvelope = errors.New("cachestore: not a valid entry")
	// ErrStore matches a *StoreError: the store did not do what it was asked. A cache goes on without it.
	ErrStore = errors.New("cachestore: store error")
	// ErrStopped is the cause of a *StoreError of a store after its Stop.
	ErrStopped = errors.New("the store is stopped")
)

// KeyTypeError says that a key is of a type that no store of this module takes. See [Key] for those that they take.
type KeyTypeError struct {
	Type string // the Go type of the key
}

func (e *KeyTypeError) Error() string {
	return "cachestore: key of type " + e.Type + ": want string, []byte, fmt.Stringer or GetCacheKey() string"
}

// Is makes errors.Is(err, ErrKeyType) hold.
func (e *KeyTypeError) Is(target error) bool { return target == ErrKeyType }

// ValueTypeError says that a value is of a type that the store cannot keep or that the Adapter cannot read.
// It names the type, never the value.
type ValueTypeError struct {
	Type string // the Go type of the value
	Want string // what would be right
}

func (e *ValueTypeError) Error() string {
	return "cachestore: value of type " + e.Type + ": want " + e.Want
}

// Is makes errors.Is(err, ErrValueType) hold.
func (e *ValueTypeError) Is(target error) bool { return target == ErrValueType }

// TooLargeError says that an entry, or a part of one, exceeds a limit. Nothing was stored under its key.
type TooLargeError struct {
	What  string // which part: "entry", "key", "metadata", "body"
	Size  int64  // bytes
	Limit int64  // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("cachestore: %s of %d bytes: want at most %d", e.What, e.Size, e.Limit)
}

// Is makes errors.Is(err, ErrTooLarge) hold.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
