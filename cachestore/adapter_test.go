package cachestore_test

import (
	"context"
	"errors"
	"math"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/storetest"
)

func adapt(t testing.TB, s store.StoreInterface, opts ...cachestore.Option) *cachestore.Adapter {
	t.Helper()
	a, err := cachestore.Adapt(s, opts...)
	require.NoError(t, err)
	return a
}

func TestConformanceOfTheAdapter(t *testing.T) {
	for name, newStore := range map[string]storetest.Factory{
		"store": func(t testing.TB) store.StoreInterface {
			return adapt(t, newNaive(), cachestore.WithExclusive())
		},
		"store of strings": func(t testing.TB) store.StoreInterface {
			s := newNaive()
			s.strings = true
			return adapt(t, s, cachestore.WithExclusive(), cachestore.WithStringValues())
		},
		"cache": func(t testing.TB) store.StoreInterface {
			a, err := cachestore.AdaptCache(timedCache{naiveCache{newNaive()}}, cachestore.WithExclusive())
			require.NoError(t, err)
			return a
		},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, newStore, storetest.WithTags(), storetest.WithFakeTime())
		})
	}
	t.Run("two in one store", func(t *testing.T) {
		shared := newNaive()
		storetest.Run(t, func(t testing.TB) store.StoreInterface {
			return adapt(t, shared, cachestore.WithPrefix(strings.NewReplacer("/", ".", "_", "").Replace(t.Name())+"."))
		}, storetest.WithoutClear(), storetest.WithFakeTime())
	})
}

func TestAdaptReportsEverythingAtOnce(t *testing.T) {
	_, err := cachestore.Adapt(nil, cachestore.WithPrefix("a b"), cachestore.WithTTLResolution(0))
	require.ErrorContains(t, err, "no store")
	require.ErrorContains(t, err, `WithPrefix: "a b" has the byte ' '`)
	require.ErrorContains(t, err, "WithTTLResolution: 0s: want more than zero")
	for _, prefix := range []string{"", strings.Repeat("a", 129)} {
		_, err = cachestore.Adapt(newNaive(), cachestore.WithPrefix(prefix))
		require.ErrorContains(t, err, "want 1 to 128")
	}
	_, err = cachestore.AdaptCache(nil)
	require.ErrorContains(t, err, "no cache")
}

func TestKeysReachTheStoreHashedUnderThePrefix(t *testing.T) {
	s := newNaive()
	a := adapt(t, s, cachestore.WithPrefix("app/"))
	require.NoError(t, a.Set(t.Context(), "https://example.com/?token=hunter2", "v", store.WithTags([]string{"https://t.example.com/"})))
	for key, it := range s.items {
		require.Regexp(t, `^app/[0-9a-f]{64}$`, key)
		require.Regexp(t, `^app/[0-9a-f]{64}$`, it.tags[0])
	}
}

func TestTTLsAreRoundedUpToWhatTheStoreKeeps(t *testing.T) {
	for name, test := range map[string]struct{ resolution, ttl, want time.Duration }{
		"none stays none":           {time.Second, 0, 0},
		"under a second":            {time.Second, time.Millisecond, time.Second},
		"a whole second":            {time.Second, time.Second, time.Second},
		"a little over":             {time.Second, time.Second + 1, 2 * time.Second},
		"milliseconds":              {time.Millisecond, 1500*time.Microsecond + 1, 2 * time.Millisecond},
		"exact":                     {1, 1234567, 1234567},
		"the longest has no higher": {time.Second, math.MaxInt64, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			s := newNaive()
			require.NoError(t, adapt(t, s, cachestore.WithTTLResolution(test.resolution)).Bytes().Set(t.Context(), "a", nil, test.ttl))
			require.Equal(t, test.want, s.last.Expiration)
		})
	}
}

func TestOptionsOfTheCallerAreKeptAndACostIsAdded(t *testing.T) {
	s := newNaive()
	a := adapt(t, s, cachestore.WithPrefix("p."))
	options := make([]store.Option, 1, 8) // room behind it that is not the adapter's to write to
	options[0] = store.WithSynchronousSet()
	require.NoError(t, a.Set(t.Context(), "a", "12345", options...))
	require.True(t, s.last.SynchronousSet)
	require.EqualValues(t, len("p.")+64+5, s.last.Cost)
	require.Nil(t, options[:2][1])

	require.NoError(t, a.Set(t.Context(), "a", "12345", store.WithCost(7)))
	require.EqualValues(t, 7, s.last.Cost)
}

func TestEveryShapeOfAMissIsAMiss(t *testing.T) {
	for name, fail := range map[string]error{
		"by value": store.NotFound{}, "by pointer": &store.NotFound{}, "of redis": errors.New("redis: nil"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newNaive()
			s.fail = fail
			a := adapt(t, s)
			_, err := a.Get(t.Context(), "a")
			require.Same(t, cachestore.ErrNotFound, err)
			_, _, err = a.GetWithTTL(t.Context(), "a")
			require.Same(t, cachestore.ErrNotFound, err)
			_, found, err := a.Bytes().Get(t.Context(), "a")
			require.NoError(t, err)
			require.False(t, found)
			require.NoError(t, a.Delete(t.Context(), "a"))
			require.NoError(t, a.Invalidate(t.Context(), store.WithInvalidateTags([]string{"t"})))
		})
	}
	t.Run("nil", func(t *testing.T) {
		a := adapt(t, answers{newNaive(), nil})
		_, err := a.Get(t.Context(), "a")
		require.Same(t, cachestore.ErrNotFound, err)
	})
	t.Run("by the caller's test", func(t *testing.T) {
		s := newNaive()
		s.fail = syscall.ENODATA
		a := adapt(t, s, cachestore.WithMiss(func(err error) bool { return errors.Is(err, syscall.ENODATA) }))
		_, err := a.Get(t.Context(), "a")
		require.Same(t, cachestore.ErrNotFound, err)
	})
}

// answers gives the same value for every key.
type answers struct {
	*naive
	value any
}

func (s answers) Get(context.Context, any) (any, error) { return s.value, nil }

func TestAForeignValueIsATypedErrorThatDoesNotShowIt(t *testing.T) {
	_, _, err := adapt(t, answers{newNaive(), struct{ Password string }{"hunter2"}}).Bytes().Get(t.Context(), "a")
	require.ErrorIs(t, err, cachestore.ErrStore)
	require.ErrorIs(t, err, cachestore.ErrValueType)
	require.NotContains(t, err.Error(), "hunter2")
	require.ErrorContains(t, err, "struct { Password string }")
}

func TestErrorsOfTheStoreAreTypedAndShowNoValue(t *testing.T) {
	for name, test := range map[string]struct {
		fail    error
		want    string
		timeout bool
	}{
		"of the client":     {errors.New("OOM while storing hunter2"), "*errors.errorString", false},
		"of the connection": {&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}, "dial tcp: connection refused", false},
		"of the system":     {syscall.ENOSPC, "no space left on device", false},
		"of the deadline":   {context.DeadlineExceeded, "context deadline exceeded", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newNaive()
			s.fail = test.fail
			a := adapt(t, s, cachestore.WithExclusive())
			_, errGet := a.Get(t.Context(), "hunter2")
			for op, err := range map[string]error{
				"get":        errGet,
				"set":        a.Set(t.Context(), "hunter2", "hunter2"),
				"delete":     a.Delete(t.Context(), "hunter2"),
				"invalidate": a.Invalidate(t.Context(), store.WithInvalidateTags([]string{"hunter2"})),
				"clear":      a.Clear(t.Context()),
			} {
				var typed *cachestore.StoreError
				require.ErrorAs(t, err, &typed, op)
				require.ErrorIs(t, err, cachestore.ErrStore)
				require.ErrorIs(t, err, test.fail)
				require.Equal(t, op, typed.Op)
				require.Equal(t, "naive", typed.Store)
				require.Equal(t, test.timeout, typed.Timeout())
				require.NotContains(t, err.Error(), "hunter2")
				if op != "set" || name != "of the client" { // there the naive store wraps
					require.ErrorContains(t, err, test.want)
				}
			}
		})
	}
}

func TestACancelledContextDoesNotReachTheStore(t *testing.T) {
	a := adapt(t, answers{newNaive(), []byte("v")}, cachestore.WithExclusive())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, errGet := a.Get(ctx, "a")
	_, _, errTTL := a.GetWithTTL(ctx, "a")
	for _, err := range []error{
		errGet, errTTL, a.Set(ctx, "a", "v"), a.Delete(ctx, "a"), a.Invalidate(ctx), a.Clear(ctx),
	} {
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cachestore.ErrStore)
	}
}

func TestClearNeedsAStoreOfOnesOwn(t *testing.T) {
	s := newNaive()
	require.NoError(t, s.Set(t.Context(), "somebody's", []byte("v")))
	err := adapt(t, s).Clear(t.Context())
	require.ErrorIs(t, err, store.ErrNotSupported)
	require.EqualError(t, err, "cachestore: clear in naive: operation not supported by this store")
	require.Len(t, s.items, 1)

	require.NoError(t, adapt(t, s, cachestore.WithExclusive()).Clear(t.Context()))
	require.Empty(t, s.items)
}

func TestBytesFacade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, b := t.Context(), adapt(t, newNaive()).Bytes()
		require.NoError(t, b.Set(ctx, "a", []byte("v"), 2*time.Second))
		got, found, err := b.Get(ctx, "a")
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, []byte("v"), got)
		time.Sleep(2 * time.Second)
		_, found, err = b.Get(ctx, "a")
		require.NoError(t, err)
		require.False(t, found)

		require.NoError(t, b.Set(ctx, "a", []byte("v"), 0))
		require.NoError(t, b.Set(ctx, "a", []byte("v"), -1), "has ended")
		_, found, _ = b.Get(ctx, "a")
		require.False(t, found)
		require.NoError(t, b.Delete(ctx, "a"))
	})
}

func TestACacheWithoutTTLsStillAnswers(t *testing.T) {
	c := naiveCache{newNaive()}
	a, err := cachestore.AdaptCache(c)
	require.NoError(t, err)
	require.Equal(t, "naive cache", a.GetType())
	require.NoError(t, a.Set(t.Context(), "a", "v", store.WithExpiration(time.Hour)))
	got, ttl, err := a.GetWithTTL(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []byte("v"), got)
	require.Zero(t, ttl)

	for key, it := range c.s.items { // as another program with another type would leave it
		it.value = 42
		c.s.items[key] = it
	}
	_, err = a.Get(t.Context(), "a")
	require.Same(t, cachestore.ErrNotFound, err)
}

func TestACacheTakesStringsToo(t *testing.T) {
	a, err := cachestore.AdaptCache(naiveCache{newNaive()}, cachestore.WithStringValues())
	require.NoError(t, err)
	require.NoError(t, a.Set(t.Context(), "a", "v"))
	got, err := a.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, []byte("v"), got)
}

// undeletable fails its first deletions of what is there.
type undeletable struct {
	*naive
	failures int
}

func (s *undeletable) Delete(ctx context.Context, key any) error {
	if s.failures--; s.failures >= 0 {
		return errors.New("failed to delete")
	}
	return s.naive.Delete(ctx, key)
}

func TestADeleteThatFailsIsTriedAgainAndThenReported(t *testing.T) {
	for failures, works := range map[int]bool{0: true, 2: true, 3: false} {
		a := adapt(t, &undeletable{newNaive(), failures})
		require.NoError(t, a.Set(t.Context(), "a", "v"))
		if err := a.Delete(t.Context(), "a"); works {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, cachestore.ErrStore)
		}
		_, err := a.Get(t.Context(), "a")
		require.Equal(t, works, errors.Is(err, store.NotFound{}))
	}
}
