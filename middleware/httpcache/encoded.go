package httpcache

import (
	"context"
	"crypto/rand"
	"slices"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/cachestore"
)

// encoded keeps resources as bytes, in envelopes: an index entry per key, with
// the small bodies in it, and the others each under a random id. A body is
// written before the index that names it, so that an index never names what is not
// there yet; what has gone since is a miss.
type encoded struct {
	entries  *cachestore.Entries
	marks    marks
	settings atomic.Pointer[storage]
	damaged  atomic.Uint64 // whole envelopes of which the content was none of ours
	lost     atomic.Uint64 // bodies that an index named and that were not there
}

func newEncoded(b cachestore.Bytes, s storage) (*encoded, error) {
	entries, err := cachestore.NewEntries(b)
	if err != nil {
		return nil, err
	}
	k := &encoded{entries: entries}
	k.settings.Store(&s)
	k.marks.keeper = k
	return k, nil
}

// Several kinds of things share the store.
func indexKey(key string) string { return "index " + key }
func bodyKey(id string) string   { return "body " + id }

// read reads one envelope, no longer than store_timeout.
func (k *encoded) read(ctx context.Context, key string) (cachestore.Entry, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, k.settings.Load().timeout)
	defer cancel()
	return k.entries.Get(ctx, key)
}

// write writes one envelope. What would be gone at once is not written.
func (k *encoded) write(ctx context.Context, e cachestore.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, k.settings.Load().timeout)
	defer cancel()
	return k.entries.Set(ctx, e)
}

func (k *encoded) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, k.settings.Load().timeout)
	defer cancel()
	return k.entries.Delete(ctx, key)
}

func (k *encoded) get(ctx context.Context, key string) (*resource, error) {
	stored, found, err := k.read(ctx, indexKey(key))
	if err != nil || !found {
		return nil, err
	}
	r, err := decodeResource(stored.Body, key)
	if err != nil {
		k.damaged.Add(1)
		_ = k.delete(ctx, indexKey(key)) // else whoever reads it next tries again
		return nil, nil
	}
	var failed error
	r.entries = slices.DeleteFunc(r.entries, func(e *entry) bool {
		valid, err := k.marks.valid(ctx, r.url, &e.stamp)
		if err != nil {
			failed = err
		}
		return !valid
	})
	return r.weigh(), failed
}

func (k *encoded) note(ctx context.Context, url string, tags []string) (stamp, error) {
	return k.marks.note(ctx, url, tags)
}

func (k *encoded) current(ctx context.Context, url string, s stamp) (bool, error) {
	return k.marks.valid(ctx, url, &s)
}

// set writes the body of the newest answer and then the index, and deletes the
// bodies that no index names any more.
func (k *encoded) set(ctx context.Context, at place, old []*entry, next *resource) (bool, error) {
	now := time.Now()
	answered := next.aloneUntil.IsZero()
	if answered {
		e := *next.entries[0]
		e.stamp = at.stamp
		if e.stamp.url == "" {
			return false, nil // the store could not be asked before the upstream was
		}
		var err error
		if e.stamp.tags, err = k.marks.tags(ctx, e.tags, at.stamp.tags); err != nil {
			return false, err
		}
		if err := k.putBody(ctx, &e, now); err != nil {
			return false, err
		}
		next.entries[0] = &e
	}
	expires := next.aloneUntil
	for _, e := range next.entries {
		if gone := k.gone(e); gone.After(expires) {
			expires = gone
		}
	}
	err := k.write(ctx, cachestore.Entry{Key: indexKey(at.key), Stored: now, Expires: expires, Body: encodeResource(next)})
	if err != nil {
		return false, err
	}
	if answered {
		k.sweep(ctx, old, next)
	}
	return true, nil
}

// gone is when an answer may be forgotten: it is stale then, and was for as long as is useful.
func (k *encoded) gone(e *entry) time.Time {
	left := max(0, e.lifetime-e.initialAge)
	return e.received.Add(min(left+k.settings.Load().keepStale, markLife))
}

// putBody stores a body that is too long for the index, unless it is there for as long as it will be needed.
func (k *encoded) putBody(ctx context.Context, e *entry, now time.Time) error {
	gone := k.gone(e)
	switch {
	case int64(len(e.body)) <= k.settings.Load().inline:
		e.bodyID, e.bodySize = "", 0
		return nil
	case e.bodyID != "" && !gone.After(e.bodyExpires):
		return nil
	}
	e.bodyID, e.bodySize = rand.Text(), int64(len(e.body))
	// For longer than the index, so that a 304 need not write it again.
	e.bodyExpires = gone.Add(gone.Sub(now) / 2)
	return k.write(ctx, cachestore.Entry{Key: bodyKey(e.bodyID), Stored: now, Expires: e.bodyExpires, Body: e.body})
}

// sweep deletes the bodies that are in old and not in next. If that fails, their time will come.
func (k *encoded) sweep(ctx context.Context, old []*entry, next *resource) {
	for _, e := range old {
		named := slices.ContainsFunc(next.entries, func(x *entry) bool { return x.bodyID == e.bodyID })
		if e.bodyID != "" && !named {
			_ = k.delete(ctx, bodyKey(e.bodyID))
		}
	}
}

func (k *encoded) load(ctx context.Context, e *entry) (*entry, error) {
	if e.bodyID == "" || e.body != nil {
		return e, nil
	}
	stored, found, err := k.read(ctx, bodyKey(e.bodyID))
	if err != nil {
		return nil, err
	}
	if !found || int64(len(stored.Body)) != e.bodySize {
		k.lost.Add(1)
		return nil, nil
	}
	loaded := *e
	loaded.body = stored.Body
	return &loaded, nil
}

func (k *encoded) drop(ctx context.Context, key string) error { return k.delete(ctx, indexKey(key)) }

// purgeURL makes everything of the URL invalid, in whatever partition. The index
// of the URL itself goes at once, the others when they are read. A change was
// made upstream: that has to be known although the caller may have given up.
func (k *encoded) purgeURL(ctx context.Context, url string) error {
	ctx = context.WithoutCancel(ctx)
	if err := k.marks.bump(ctx, urlTag(url)); err != nil {
		return err
	}
	return k.drop(ctx, url)
}

func (k *encoded) purgeTag(ctx context.Context, tag string) error { return k.marks.bump(ctx, tag) }

func (k *encoded) purgePrefix(ctx context.Context, prefix string) error {
	return k.marks.purge(ctx, prefix)
}
