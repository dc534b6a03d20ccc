package tiered

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/middleware"
)

// Type is what GetType says.
const Type = "tiered"

// Events. Key is the tier's name.
const (
	// EventTierDown: a tier is skipped for a while, Wait; Err says why. Level Warn.
	EventTierDown = "tier_down"
	// EventTierUp: it is used again. Level Info.
	EventTierUp = "tier_up"
)

// Store is several stores in one. It is safe for concurrent use. [New] makes one.
type Store struct {
	tiers    []*tier
	readDown []int // the places of the tiers, from the fastest
	readUp   []int // from the slowest
	guard    *guard
	tasks    *tasks
	misses   atomic.Uint64

	touching atomic.Bool
}

var _ store.StoreInterface = (*Store)(nil)

// Option is a collaborator of the store.
type Option func(*options)

type options struct{ reporter middleware.Reporter }

// WithReporter names the store and says who is told of its events, which no request waits for but the one that they
// happen in.
func WithReporter(r middleware.Reporter) Option { return func(o *options) { o.reporter = r } }

// New returns a store over those of stores that cfg.Tiers names. They are used, not owned: stop them after this one. It
// does no I/O.
//
// A store that is not of this module belongs into cachestore.Adapt first.
func New(cfg Config, stores map[string]store.StoreInterface, opts ...Option) (*Store, error) {
	if err := middleware.Validate(Type, cfg); err != nil {
		return nil, err
	}
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	s := &Store{guard: newGuard(), tasks: newTasks()}
	var errs []error
	for _, name := range cfg.Tiers {
		in, ok := stores[name]
		if !ok || in == nil {
			errs = append(errs, fmt.Errorf("tiered: tiers: no store %q was handed over", name))
			continue
		}
		_, pointers := in.(cachestore.PointerStore)
		s.tiers = append(s.tiers, &tier{
			name: name, store: in, inline: pointers, cfg: cfg, tasks: s.tasks, report: o.reporter.Named(Type),
		})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i := range s.tiers {
		s.readDown, s.readUp = append(s.readDown, i), append(s.readUp, len(s.tiers)-1-i)
	}
	return s, nil
}

// Get returns the value as a []byte of the caller's own, or cachestore.ErrNotFound, also where no tier could tell.
// Keys are those of [cachestore.Key].
func (s *Store) Get(ctx context.Context, key any) (any, error) {
	value, _, err := s.GetWithTTL(ctx, key)
	return value, err
}

// GetWithTTL is Get with the remaining life, zero where there is no end.
func (s *Store) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	k, err := s.begin(ctx, "get", key)
	if err != nil {
		return nil, 0, err
	}
	stripe := s.guard.stripe(k)
	noted := stripe.note()
	for _, i := range s.order(ctx) {
		t := s.tiers[i]
		f, told, err := t.get(ctx, k)
		if err != nil {
			return nil, 0, fail("get", err)
		}
		left := f.left()
		if left < 0 {
			if told && i > 0 && cachestore.WantsLatest(ctx) {
				break // what the tiers above have, another process has deleted
			}
			continue
		}
		t.hit()
		if i > 0 {
			stripe.fill(noted, func() { s.fill(ctx, k, f, s.tiers[:i]) })
		}
		s.touch(k, s.tiers[i+1:])
		if t.inline || i > 0 { // a tier keeps it as it is
			return bytes.Clone(f.value()), left, nil
		}
		return f.value(), left, nil
	}
	s.misses.Add(1)
	return nil, 0, cachestore.ErrNotFound
}

// order is that in which the tiers are read.
func (s *Store) order(ctx context.Context) []int {
	if cachestore.WantsLatest(ctx) {
		return s.readUp
	}
	return s.readDown
}

// fill copies a value to the tiers above the one that had it, for what is left of its life.
func (s *Store) fill(ctx context.Context, key string, f frame, above []*tier) {
	for _, t := range above {
		if left := f.left(); left >= 0 && !t.skipped() {
			_ = t.set(ctx, key, f, left) // the tier sees to what failed
		}
	}
}

// Set stores a []byte or a string in every tier. Of the options it heeds store.WithExpiration (zero is no end; negative
// has ended, and deletes the key) and store.WithTags. It is an error if no tier takes it: a *cachestore.TooLargeError, or
// a *cachestore.StoreError.
func (s *Store) Set(ctx context.Context, key any, value any, options ...store.Option) error {
	body, err := cachestore.Value(value)
	if err != nil {
		return err
	}
	opts := store.ApplyOptions(options...)
	if opts.Expiration < 0 {
		return s.Delete(ctx, key)
	}
	k, err := s.begin(ctx, "set", key)
	if err != nil {
		return err
	}
	var expires time.Time
	if opts.Expiration > 0 {
		expires = time.Now().Add(opts.Expiration)
	}
	f := newFrame(body, expires, opts.Tags)
	var failed error
	taken := false
	s.guard.stripe(k).write(func() {
		for _, t := range s.tiers {
			if err := t.set(ctx, k, f, opts.Expiration); err == nil {
				taken = true
			} else if failed == nil || errors.Is(failed, cachestore.ErrTooLarge) {
				failed = err
			}
		}
	})
	switch {
	case taken:
		return nil
	case errors.Is(failed, cachestore.ErrTooLarge):
		return failed
	}
	return fail("set", failed)
}

// Delete removes the key from every tier. One that is down is not read again before it has been removed there too.
func (s *Store) Delete(ctx context.Context, key any) error {
	k, err := s.begin(ctx, "delete", key)
	if err != nil {
		return err
	}
	s.guard.stripe(k).write(func() {
		for _, t := range s.tiers {
			t.delete(ctx, k)
		}
	})
	return nil
}

// Invalidate removes the entries that were stored with at least one of the tags of store.WithInvalidateTags from every
// tier; of one that is down, as Delete does. A tier that does not have the operation is an error.
func (s *Store) Invalidate(ctx context.Context, options ...store.InvalidateOption) error {
	tags := store.ApplyInvalidateOptions(options...).Tags
	return s.everywhere(ctx, "invalidate",
		func(o *owed, most int) {
			for _, tag := range tags {
				o.tag(tag, most)
			}
		},
		func(ctx context.Context, in store.StoreInterface) error {
			return in.Invalidate(ctx, store.WithInvalidateTags(tags))
		})
}

// Clear empties every tier; one that is down, before it is used again. A tier that cannot be cleared (an adapter
// without cachestore.WithExclusive) is an error.
func (s *Store) Clear(ctx context.Context) error {
	return s.everywhere(ctx, "clear",
		func(o *owed, _ int) { o.everything() },
		func(ctx context.Context, in store.StoreInterface) error { return in.Clear(ctx) })
}

func (s *Store) everywhere(ctx context.Context, op string, owe func(*owed, int), do func(context.Context, store.StoreInterface) error) error {
	if err := s.usable(ctx, op); err != nil {
		return err
	}
	var errs []error
	s.guard.writeAll(func() {
		for _, t := range s.tiers {
			errs = append(errs, t.long(ctx,
				func(o *owed) { owe(o, t.cfg.MaxOwed) },
				func(ctx context.Context) error { return do(ctx, t.store) }))
		}
	})
	if err := errors.Join(errs...); err != nil {
		return fail(op, err)
	}
	return nil
}

// GetType is "tiered".
func (s *Store) GetType() string { return Type }

// Stop ends what runs beside the requests and waits until ctx ends for what was left behind in a tier. From then on every
// operation is an error that matches cachestore.ErrStopped.
func (s *Store) Stop(ctx context.Context) error {
	if err := s.tasks.stop(ctx); err != nil {
		return fail("stop", err)
	}
	return nil
}

func (s *Store) begin(ctx context.Context, op string, key any) (string, error) {
	k, err := cachestore.Key(key)
	if err != nil {
		return "", err
	}
	return k, s.usable(ctx, op)
}

func (s *Store) usable(ctx context.Context, op string) error {
	if s.tasks.over() {
		return fail(op, cachestore.ErrStopped)
	}
	if err := ctx.Err(); err != nil {
		return fail(op, err)
	}
	return nil
}

func fail(op string, err error) error {
	return &cachestore.StoreError{Op: op, Store: Type, Err: err}
}
