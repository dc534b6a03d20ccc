package cachestore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/eko/gocache/lib/v4/store"
)

// StoreError says that a store, ours or one behind an [Adapter], did not do what it was asked: it is unreachable, full,
// read-only or stopped. It says nothing about the key: a cache skips the store this time, and the request goes on.
//
// Its text carries the cause's own words only where they are known to be about the connection, the context or
// the operating system; of other causes it names the type, because some clients print the value that they could
// not store. The cause is there for errors.Is and errors.As, and in Err.
type StoreError struct {
	Op    string // "get", "set", "delete", "invalidate", "clear"
	Store string // what the store's GetType says
	Err   error  // the cause
}

func (e *StoreError) Error() string {
	return "cachestore: " + e.Op + " in " + e.Store + ": " + safeText(e.Err)
}

// Is makes errors.Is(err, ErrStore) hold.
func (e *StoreError) Is(target error) bool { return target == ErrStore }

// Unwrap is the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// Timeout reports whether a deadline was the cause.
func (e *StoreError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// safeText is the text of the first error in the chain whose words cannot hold a value.
func safeText(err error) string {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, store.ErrNotSupported, ErrStopped} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network.Error()
	}
	var system syscall.Errno
	if errors.As(err, &system) {
		return system.Error()
	}
	var valueType *ValueTypeError
	if errors.As(err, &valueType) {
		return valueType.Error()
	}
	return fmt.Sprintf("%T", err)
}
