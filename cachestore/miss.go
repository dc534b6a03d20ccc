package cachestore

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/eko/gocache/lib/v4/store"
)

// IsMiss reports whether a store's error only says that the key is not there. gocache has a type for that, which
// its stores return by value, by pointer and wrapped, and some do not return it at all: bigcache passes on its
// client's "Entry not found". IsMiss knows
//
//   - store.NotFound in every shape;
//   - fs.ErrNotExist, of stores that keep files;
//   - an error with NotFound() bool;
//   - the exact texts of the usual clients, such as "redis: nil" and "memcache: cache miss".
//
// Texts are compared whole: an error that merely contains "not found" may be a host that cannot be resolved, and
// calling that a miss would hide an outage.
func IsMiss(err error) bool {
	if err == nil {
		return false
	}
	var byPointer *store.NotFound
	var byValue store.NotFound
	var telling interface{ NotFound() bool }
	switch {
	case err == ErrNotFound, errors.As(err, &byPointer), errors.As(err, &byValue), errors.Is(err, fs.ErrNotExist):
		return true
	case errors.As(err, &telling) && telling.NotFound():
		return true
	}
	return saysMiss(err)
}

// saysMiss looks for a known text in err and in everything that it wraps.
func saysMiss(err error) bool {
	if err == nil {
		return false
	}
	if isMissText(err.Error()) {
		return true
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return saysMiss(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if saysMiss(part) {
				return true
			}
		}
	}
	return false
}

func isMissText(text string) bool {
	switch strings.ToLower(text) {
	case store.NOT_FOUND_ERR,
		"redis: nil",           // redis/go-redis
		"redis nil message",    // rueidis
		"memcache: cache miss", // bradfitz/gomemcache
		"entry not found",      // bigcache, freecache
		"nats: key not found", "nats: key was deleted",
		"key not found", "value not found", "item not found", "not found", "cache miss", "errnotfound":
		return true
	}
	return false
}
