package httpcache

import (
	"context"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/memory"
)

// keeper is how resources are kept in a store: as they are in one that keeps
// pointers, encoded in one that keeps bytes. Whoever changes what is kept under a
// key holds the lock of its stripe.
type keeper interface {
	// get gives what is kept under key; nil for nothing. An error means that the store could not tell.
	get(ctx context.Context, key string) (*resource, error)
	// note gives, before the upstream is asked, what set will have to know to
	// tell whether the answer was purged meanwhile by another process.
	note(ctx context.Context, url string, tags []string) (stamp, error)
	// current tells whether nothing that note gave was purged since.
	current(ctx context.Context, url string, s stamp) (bool, error)
	// set keeps a resource. old are the answers that were there, and its newest is
	// a new one, unless aloneUntil is set. It gives false if that was purged meanwhile.
	set(ctx context.Context, at place, old []*entry, r *resource) (bool, error)
	// load gives an answer with its body; nil if the body is gone.
	load(ctx context.Context, e *entry) (*entry, error)
	// drop forgets one key.
	drop(ctx context.Context, key string) error
	// purgeURL, purgeTag and purgePrefix forget what has the URL, the tag, or a
	// URL that begins with prefix.
	purgeURL(ctx context.Context, url string) error
	purgeTag(ctx context.Context, tag string) error
	purgePrefix(ctx context.Context, prefix string) error
}

// pointers keeps resources as they are. What is purged is gone at once.
type pointers struct {
	store  cachestore.PointerStore
	memory *memory.Store // store, if it is one: the way that makes no any of a key
}

func newPointers(s cachestore.PointerStore) *pointers {
	p := &pointers{store: s}
	p.memory, _ = s.(*memory.Store)
	return p
}

func (p *pointers) get(ctx context.Context, key string) (*resource, error) {
	var v any
	var err error
	if p.memory != nil {
		v, err = p.memory.GetString(key)
	} else {
		v, err = p.store.Get(ctx, key)
	}
	if err != nil {
		if err == error(cachestore.ErrNotFound) || cachestore.IsMiss(err) {
			return nil, nil
		}
		return nil, err
	}
	r, ok := v.(*resource)
	if !ok || r.key != key {
		return nil, nil
	}
	return r, nil
}

// note does nothing: the stripes' generations are all that there is.
func (p *pointers) note(context.Context, string, []string) (stamp, error) { return stamp{}, nil }

func (p *pointers) current(context.Context, string, stamp) (bool, error) { return true, nil }

// set stores without an expiration: an entry carries its own times, and a stale
// one can still be asked about. What nobody wants leaves by eviction.
func (p *pointers) set(ctx context.Context, at place, _ []*entry, r *resource) (bool, error) {
	tags := r.tags()
	if at.split {
		tags = append(tags, urlTag(at.url))
	}
	var options []store.Option
	if len(tags) > 0 {
		options = []store.Option{store.WithTags(tags)}
	}
	if p.memory != nil {
		return true, p.memory.SetString(at.key, r, options...)
	}
	return true, p.store.Set(ctx, at.key, r, options...)
}

func (p *pointers) load(_ context.Context, e *entry) (*entry, error) { return e, nil }

func (p *pointers) drop(ctx context.Context, key string) error { return p.store.Delete(ctx, key) }

func (p *pointers) purgeURL(ctx context.Context, url string) error {
	err := p.store.Delete(ctx, url)
	if tagged := p.purgeTag(ctx, urlTag(url)); err == nil {
		err = tagged
	}
	return err
}

func (p *pointers) purgeTag(ctx context.Context, tag string) error {
	return p.store.Invalidate(ctx, store.WithInvalidateTags([]string{tag}))
}

func (p *pointers) purgePrefix(ctx context.Context, prefix string) error {
	scanner, ok := p.store.(cachestore.Scanner)
	if !ok {
		return ErrPurgeUnsupported
	}
	scanner.DeleteFunc(ctx, func(_ string, value any) bool {
		r, ok := value.(*resource)
		return ok && hasPrefix(r.url, prefix)
	})
	return nil
}

// urlTag is the tag by which an answer is found whose key is more than its URL.
// No tag of a user's begins like it.
func urlTag(url string) string { return "\x00" + url }

// tags of all answers.
func (r *resource) tags() []string {
	var tags []string
	for _, e := range r.entries {
		tags = append(tags, e.tags...)
	}
	return tags
}
