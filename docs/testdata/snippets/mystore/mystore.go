// Package mystore stands for a store of the reader's own.
package mystore

import (
	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
)

// New opens it.
func New(string) store.StoreInterface { return nil }

// Cache is a whole gocache cache.
type Cache interface{ cachestore.Cache }
