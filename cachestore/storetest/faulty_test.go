package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/storetest"
)

// TestFaultyStoresFail shows that the suite can fail: each store does one thing wrong, most of them as some
// published store does, and the named checks, at least, say so.
func TestFaultyStoresFail(t *testing.T) {
	type stores = func() store.StoreInterface
	shared := newMapStore()
	for name, test := range map[string]struct {
		make stores
		want []string
		opts []storetest.Option
	}{
		"loses every second value": {
			make: func() store.StoreInterface { return &forgets{mapStore: newMapStore()} },
			want: []string{"get_returns_what_was_set"},
		},
		"keeps the first value": {
			make: func() store.StoreInterface { return keepsFirst{newMapStore()} },
			want: []string{"set_replaces", "set_replaces_the_ttl"},
		},
		"says nil for a miss": {
			make: func() store.StoreInterface { return nilForMiss{newMapStore()} },
			want: []string{"a_miss_is_store_NotFound", "delete_removes"},
		},
		"has an error of its own for a miss": {
			make: func() store.StoreInterface { return ownMiss{newMapStore()} },
			want: []string{"a_miss_is_store_NotFound"},
		},
		"does not delete": {
			make: func() store.StoreInterface { return noDelete{newMapStore()} },
			want: []string{"delete_removes", "keys_may_hold_any_bytes"},
		},
		"fails to delete what is not there": {
			make: func() store.StoreInterface { return strictDelete{newMapStore()} },
			want: []string{"delete_of_nothing_is_no_error"},
		},
		"has no type": {
			make: func() store.StoreInterface { return noType{newMapStore()} },
			want: []string{"type_has_a_name"},
		},
		"clears its neighbours": {
			make: func() store.StoreInterface { return prefixed{shared, new(int)} },
			want: []string{"clear_removes_its_own_entries_only"},
		},
		"does not clear": {
			make: func() store.StoreInterface { return noClear{newMapStore()} },
			want: []string{"clear_removes_its_own_entries_only"},
		},
		"clears though it says that it cannot": {
			make: func() store.StoreInterface { return clearsAndRefuses{newMapStore()} },
			want: []string{"clear_is_refused_and_removes_nothing"},
			opts: []storetest.Option{storetest.WithoutClear()},
		},
		"ignores tags": {
			make: func() store.StoreInterface { return noTags{newMapStore()} },
			want: []string{"invalidate_removes_what_has_the_tag", "set_replaces_the_tags"},
		},
		"adds tags to those before": {
			make: func() store.StoreInterface { return &addsTags{mapStore: newMapStore(), tags: map[any][]string{}} },
			want: []string{"set_replaces_the_tags"},
		},
		"takes no tags for all": {
			make: func() store.StoreInterface { return noTagsIsAll{newMapStore()} },
			want: []string{"invalidate_without_tags_removes_nothing"},
		},
		"cuts keys at a NUL": {
			make: func() store.StoreInterface { return mangled{newMapStore(), cutAtNUL} },
			want: []string{"keys_may_hold_any_bytes"},
		},
		"folds the case of keys": {
			make: func() store.StoreInterface { return mangled{newMapStore(), strings.ToLower} },
			want: []string{"keys_may_hold_any_bytes"},
		},
		"limits the length of keys": {
			make: func() store.StoreInterface {
				return mangled{newMapStore(), func(k string) string { return k[:min(len(k), 250)] }}
			},
			want: []string{"keys_may_hold_any_bytes"},
		},
		"cuts values at a NUL": {
			make: func() store.StoreInterface { return cutsValues{newMapStore()} },
			want: []string{"values_may_hold_any_bytes"},
		},
		"gives strings": {
			make: func() store.StoreInterface { return givesStrings{newMapStore()} },
			want: []string{"get_returns_what_was_set", "values_may_hold_any_bytes", "get_gives_a_value_of_the_callers_own"},
		},
		"keeps the caller's slice": {
			make: func() store.StoreInterface { return &aliases{mapStore: newMapStore(), kept: map[any]any{}, in: true} },
			want: []string{"set_keeps_no_reference_to_the_value"},
		},
		"gives out its own slice": {
			make: func() store.StoreInterface { return &aliases{mapStore: newMapStore(), kept: map[any]any{}} },
			want: []string{"get_gives_a_value_of_the_callers_own"},
		},
		"copies though it says that it does not": {
			make: func() store.StoreInterface { return copies{newMapStore()} },
			want: []string{"the_same_value_comes_back"},
			opts: []storetest.Option{storetest.Immutable()},
		},
		"never expires": {
			make: func() store.StoreInterface {
				return withTTL{newMapStore(), func(time.Duration) time.Duration { return 0 }}
			},
			want: []string{"ttl_is_told", "expired_is_a_miss", "set_replaces_the_ttl", "expires_at_the_instant"},
		},
		"takes seconds for minutes": {
			make: func() store.StoreInterface {
				return withTTL{newMapStore(), func(d time.Duration) time.Duration { return 60 * d }}
			},
			want: []string{"ttl_is_told", "expired_is_a_miss", "expires_at_the_instant"},
		},
		"expires a second late": {
			make: func() store.StoreInterface { return withTTL{newMapStore(), aSecondMore} },
			want: []string{"expires_at_the_instant"},
		},
		"expires what has no end": {
			make: func() store.StoreInterface { return withTTL{newMapStore(), minuteForNone} },
			want: []string{"ttl_is_told"},
		},
		"takes a negative TTL for none": {
			make: func() store.StoreInterface {
				return withTTL{newMapStore(), func(d time.Duration) time.Duration { return max(d, 0) }}
			},
			want: []string{"a_negative_ttl_has_ended"},
		},
		"panics on a key that is no string": {
			make: func() store.StoreInterface { return panicsOnKey{newMapStore()} },
			want: []string{"a_key_of_an_odd_type_is_an_error"},
		},
		"prints the value in its errors": {
			make: func() store.StoreInterface { return printsValue{newMapStore(), "%v"} },
			want: []string{"errors_show_no_value"},
		},
		"prints the value in its errors in hex": {
			make: func() store.StoreInterface { return printsValue{newMapStore(), "%x"} },
			want: []string{"errors_show_no_value"},
		},
		"hangs when the context is over": {
			make: func() store.StoreInterface { return hangs{newMapStore(), t.Context()} },
			want: []string{"a_cancelled_context_ends_calls"},
			opts: []storetest.Option{storetest.WithPatience(20 * time.Millisecond)},
		},
		"has an error of its own when the context is over": {
			make: func() store.StoreInterface { return ownCancel{newMapStore()} },
			want: []string{"a_cancelled_context_ends_calls"},
		},
		"mixes up keys under load": {
			make: func() store.StoreInterface { return &mixesUp{mapStore: newMapStore()} },
			want: []string{"concurrent_use"},
		},
		"has no bound": {
			make: func() store.StoreInterface { return newMapStore() },
			want: []string{"what_is_held_is_bounded"},
			opts: []storetest.Option{storetest.WithPatience(time.Millisecond)},
		},
		"keeps nothing once it is full": {
			make: func() store.StoreInterface { return &emptiesItself{mapStore: newMapStore()} },
			want: []string{"what_is_held_is_bounded"},
			opts: []storetest.Option{storetest.WithPatience(time.Millisecond)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			checks := map[string]storetest.Check{}
			for _, check := range storetest.Checks(everything(test.opts...)...) {
				checks[check.Name] = check
			}
			for _, want := range test.want {
				require.Contains(t, checks, want)
				err := checks[want].Run(t, func(testing.TB) store.StoreInterface { return test.make() })
				require.Error(t, err, "the check %s passes", want)
				require.NotContains(t, err.Error(), "hunter2", "the suite itself shows values")
			}
		})
	}
}

type forgets struct {
	*mapStore
	n int
}

func (s *forgets) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if s.n++; s.n%2 == 0 {
		return nil
	}
	return s.mapStore.Set(ctx, key, value, o...)
}

type keepsFirst struct{ *mapStore }

func (s keepsFirst) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if _, err := s.Get(ctx, key); err == nil {
		return nil
	}
	return s.mapStore.Set(ctx, key, value, o...)
}

type nilForMiss struct{ *mapStore }

func (s nilForMiss) Get(ctx context.Context, key any) (any, error) {
	v, err := s.mapStore.Get(ctx, key)
	if errors.Is(err, store.NotFound{}) {
		return nil, nil
	}
	return v, err
}

type ownMiss struct{ *mapStore }

func (s ownMiss) Get(ctx context.Context, key any) (any, error) {
	v, err := s.mapStore.Get(ctx, key)
	if err != nil {
		return nil, errors.New("Entry not found")
	}
	return v, nil
}

type noDelete struct{ *mapStore }

func (noDelete) Delete(context.Context, any) error { return nil }

type strictDelete struct{ *mapStore }

func (s strictDelete) Delete(ctx context.Context, key any) error {
	if _, err := s.Get(ctx, key); err != nil {
		return err
	}
	return s.mapStore.Delete(ctx, key)
}

type noType struct{ *mapStore }

func (noType) GetType() string { return "" }

// prefixed shares a map with its neighbours, has a prefix of its own there, and clears it all.
type prefixed struct {
	*mapStore
	id *int
}

func (s prefixed) key(key any) string { return fmt.Sprintf("%p/%v", s.id, key) }

func (s prefixed) Get(ctx context.Context, key any) (any, error) {
	return s.mapStore.Get(ctx, s.key(key))
}

func (s prefixed) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	return s.mapStore.GetWithTTL(ctx, s.key(key))
}

func (s prefixed) Set(ctx context.Context, key, value any, o ...store.Option) error {
	return s.mapStore.Set(ctx, s.key(key), value, o...)
}

type noClear struct{ *mapStore }

func (noClear) Clear(context.Context) error { return nil }

type refusesClear struct{ *mapStore }

func (refusesClear) Clear(context.Context) error {
	return fmt.Errorf("shared: %w", store.ErrNotSupported)
}

type clearsAndRefuses struct{ *mapStore }

func (s clearsAndRefuses) Clear(ctx context.Context) error {
	return errors.Join(s.mapStore.Clear(ctx), store.ErrNotSupported)
}

type noTags struct{ *mapStore }

func (noTags) Invalidate(context.Context, ...store.InvalidateOption) error { return nil }

type addsTags struct {
	*mapStore
	tags map[any][]string
}

func (s *addsTags) Set(ctx context.Context, key, value any, o ...store.Option) error {
	s.tags[key] = append(s.tags[key], store.ApplyOptions(o...).Tags...)
	return s.mapStore.Set(ctx, key, value, append(o, store.WithTags(s.tags[key]))...)
}

type noTagsIsAll struct{ *mapStore }

func (s noTagsIsAll) Invalidate(ctx context.Context, o ...store.InvalidateOption) error {
	if len(store.ApplyInvalidateOptions(o...).Tags) == 0 {
		return s.Clear(ctx)
	}
	return s.mapStore.Invalidate(ctx, o...)
}

// mangled changes keys on the way in.
type mangled struct {
	*mapStore
	change func(string) string
}

func cutAtNUL(k string) string {
	before, _, _ := strings.Cut(k, "\x00")
	return before
}

func (s mangled) Get(ctx context.Context, key any) (any, error) {
	return s.mapStore.Get(ctx, s.change(key.(string)))
}

func (s mangled) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	return s.mapStore.GetWithTTL(ctx, s.change(key.(string)))
}

func (s mangled) Set(ctx context.Context, key, value any, o ...store.Option) error {
	return s.mapStore.Set(ctx, s.change(key.(string)), value, o...)
}

func (s mangled) Delete(ctx context.Context, key any) error {
	return s.mapStore.Delete(ctx, s.change(key.(string)))
}

type cutsValues struct{ *mapStore }

func (s cutsValues) Set(ctx context.Context, key, value any, o ...store.Option) error {
	return s.mapStore.Set(ctx, key, []byte(cutAtNUL(string(value.([]byte)))), o...)
}

type givesStrings struct{ *mapStore }

func (s givesStrings) Get(ctx context.Context, key any) (any, error) {
	v, err := s.mapStore.Get(ctx, key)
	if b, ok := v.([]byte); ok {
		return string(b), err
	}
	return v, err
}

// aliases keeps the caller's slice, or a copy that it then hands to everybody.
type aliases struct {
	*mapStore
	kept map[any]any
	in   bool
}

func (s *aliases) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if s.in {
		s.kept[key] = value
	} else {
		s.kept[key] = append([]byte(nil), value.([]byte)...)
	}
	return s.mapStore.Set(ctx, key, value, o...)
}

func (s *aliases) Get(_ context.Context, key any) (any, error) { return s.kept[key], nil }

// keepsPointers keeps values with a Size as they are.
type keepsPointers struct {
	*mapStore
	kept map[string]any
}

func (s keepsPointers) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if v, ok := value.(interface{ Size() int64 }); ok {
		s.kept[key.(string)] = v
		return nil
	}
	return s.mapStore.Set(ctx, key, value, o...)
}

func (s keepsPointers) Get(ctx context.Context, key any) (any, error) {
	if k, ok := key.(string); ok && s.kept[k] != nil {
		return s.kept[k], nil
	}
	return s.mapStore.Get(ctx, key)
}

func (s keepsPointers) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	if k, ok := key.(string); ok && s.kept[k] != nil {
		return s.kept[k], 0, nil
	}
	return s.mapStore.GetWithTTL(ctx, key)
}

// copies takes anything and gives something else.
type copies struct{ *mapStore }

func (s copies) Set(ctx context.Context, key, _ any, o ...store.Option) error {
	return s.mapStore.Set(ctx, key, []byte("a copy"), o...)
}

// withTTL changes TTLs on the way in.
type withTTL struct {
	*mapStore
	change func(time.Duration) time.Duration
}

func aSecondMore(d time.Duration) time.Duration {
	if d > 0 {
		return d + time.Second
	}
	return d
}

func minuteForNone(d time.Duration) time.Duration {
	if d == 0 {
		return time.Minute
	}
	return d
}

func (s withTTL) Set(ctx context.Context, key, value any, o ...store.Option) error {
	ttl := s.change(store.ApplyOptions(o...).Expiration)
	return s.mapStore.Set(ctx, key, value, append(o, store.WithExpiration(ttl))...)
}

type panicsOnKey struct{ *mapStore }

func (s panicsOnKey) Get(ctx context.Context, key any) (any, error) {
	return s.mapStore.Get(ctx, key.(string))
}

type printsValue struct {
	*mapStore
	verb string
}

func (s printsValue) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if err := errors.Join(ctx.Err(), s.mapStore.Set(ctx, key, value, o...)); err != nil {
		return fmt.Errorf("cannot store "+s.verb+": %w", value, err)
	}
	return nil
}

// hangs waits for the test to end, so that it leaves nothing behind.
type hangs struct {
	*mapStore
	testEnds context.Context
}

func (s hangs) Get(ctx context.Context, key any) (any, error) {
	if ctx.Err() != nil {
		<-s.testEnds.Done()
	}
	return s.mapStore.Get(ctx, key)
}

type ownCancel struct{ *mapStore }

func (s ownCancel) Get(ctx context.Context, key any) (any, error) {
	if ctx.Err() != nil {
		return nil, errBroken
	}
	return s.mapStore.Get(ctx, key)
}

// mixesUp now and then answers with the value of the key that was asked for before.
type mixesUp struct {
	*mapStore
	mu   sync.Mutex
	last any
	n    int
}

func (s *mixesUp) Get(ctx context.Context, key any) (any, error) {
	s.mu.Lock()
	s.n++
	if asked := s.last; s.n%3 == 0 && asked != nil {
		key = asked
	} else {
		s.last = key
	}
	s.mu.Unlock()
	return s.mapStore.Get(ctx, key)
}

type emptiesItself struct {
	*mapStore
	n int
}

func (s *emptiesItself) Set(ctx context.Context, key, value any, o ...store.Option) error {
	if s.n++; s.n > 100 {
		return s.Clear(ctx)
	}
	return s.mapStore.Set(ctx, key, value, o...)
}
