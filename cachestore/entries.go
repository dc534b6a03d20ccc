package cachestore

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Entries keeps [Entry] values in a byte store, each in an envelope. It is safe for concurrent use.
//
// Whatever is not a whole, undamaged entry of this version for this key is a miss and is deleted, and so is an
// entry past its Expires. The caller never sees an error for either; [Entries.Damaged] counts the former.
type Entries struct {
	bytes   Bytes
	damaged atomic.Uint64
}

// NewEntries returns Entries over b, which must not be nil.
func NewEntries(b Bytes) (*Entries, error) {
	if b == nil {
		return nil, errors.New("cachestore: NewEntries: no store: want a Bytes, such as that of an Adapter")
	}
	return &Entries{bytes: b}, nil
}

// Get returns the entry of key, or false where there is none. An error means that the store could not tell.
// Meta and Body belong to the caller.
func (s *Entries) Get(ctx context.Context, key string) (Entry, bool, error) {
	data, found, err := s.bytes.Get(ctx, key)
	switch {
	case errors.Is(err, ErrValueType): // not even bytes: somebody else's value under our key
		s.damaged.Add(1)
		return s.drop(ctx, key)
	case err != nil || !found:
		return Entry{}, false, err
	}
	e, err := Decode(data, key)
	if err != nil {
		s.damaged.Add(1)
		return s.drop(ctx, key)
	}
	if !e.Expires.IsZero() && !time.Now().Before(e.Expires) {
		return s.drop(ctx, key)
	}
	return e, true, nil
}

// Set stores e under e.Key until e.Expires. The store is told the remaining life as its TTL, so that it can
// collect the garbage; an entry that has expired already is deleted instead.
func (s *Entries) Set(ctx context.Context, e Entry) error {
	var ttl time.Duration
	if !e.Expires.IsZero() {
		if ttl = time.Until(e.Expires); ttl <= 0 {
			return s.bytes.Delete(ctx, e.Key)
		}
	}
	data, err := Encode(e)
	if err != nil {
		return err
	}
	return s.bytes.Set(ctx, e.Key, data, ttl)
}

// Delete removes the entry of key, if there is one.
func (s *Entries) Delete(ctx context.Context, key string) error { return s.bytes.Delete(ctx, key) }

// Damaged is how many values were found that were no entry, since the start.
func (s *Entries) Damaged() uint64 { return s.damaged.Load() }

// drop answers a miss and deletes what was found. If that does not work the answer is right all the same, and
// whoever reads the key next tries again.
func (s *Entries) drop(ctx context.Context, key string) (Entry, bool, error) {
	_ = s.bytes.Delete(ctx, key)
	return Entry{}, false, nil
}
