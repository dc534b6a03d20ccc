package memory_test

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/storetest"
	"github.com/headgate-go/headgate/middleware"
)

func TestConformance(t *testing.T) {
	entries := 10_000
	if os.Getenv("HEADGATE_SOAK") == "1" {
		entries = 1_000_000
	}
	cfg := memory.Config{MaxBytes: 2 * middleware.MiB, MaxEntryBytes: 2 * middleware.MiB}
	storetest.Run(t,
		func(t testing.TB) store.StoreInterface { return newStore(t, cfg) },
		storetest.Immutable(), storetest.WithTags(), storetest.WithFakeTime(),
		storetest.WithBound(int64(cfg.MaxBytes)), storetest.WithEntries(entries))
}

func TestConformanceThroughTheAdapter(t *testing.T) {
	storetest.Run(t,
		func(t testing.TB) store.StoreInterface {
			a, err := cachestore.Adapt(newStore(t, memory.DefaultConfig()), cachestore.WithExclusive())
			require.NoError(t, err)
			return a
		},
		storetest.WithTags(), storetest.WithFakeTime())
}

func TestMissIsTheSharedValueInGocachesShape(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	_, err := s.Get(t.Context(), "absent")
	require.Same(t, cachestore.ErrNotFound, err)
	require.ErrorIs(t, err, store.NotFound{})
	require.ErrorIs(t, err, &store.NotFound{})
	var notFound *store.NotFound
	require.ErrorAs(t, err, &notFound)
	require.EqualError(t, err, store.NOT_FOUND_ERR)
}

func TestHitsAndMissesAllocateNothingBesidesTheKey(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	ctx, key, absent := t.Context(), any("key"), any("absent")
	require.NoError(t, s.Set(ctx, key, &page{body: []byte("x")}))
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		_, hit := s.Get(ctx, key)
		_, miss := s.Get(ctx, absent)
		if hit != nil || miss == nil {
			t.Error("unexpected answer")
		}
	}))
}

func TestStringKeysAreTheSameKeysAndCostNoAllocation(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	value := &page{body: []byte("x")}
	require.NoError(t, s.SetString("by string", value, store.WithTags([]string{"tag"})))
	require.NoError(t, s.Set(t.Context(), "by any", value))
	for _, key := range []string{"by string", "by any"} {
		got, err := s.GetString(key)
		require.NoError(t, err)
		require.Same(t, value, got)
		got, err = s.Get(t.Context(), key)
		require.NoError(t, err)
		require.Same(t, value, got)
	}
	key := strings.Repeat("k", 100) // made at run time, so that the compiler keeps no any of it
	require.NoError(t, s.SetString(key, value))
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = s.GetString(key) }))

	require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	_, err := s.GetString("by string")
	require.Equal(t, cachestore.ErrNotFound, err)
	require.ErrorIs(t, s.SetString("by any", nil), cachestore.ErrValueType)
}

func TestKeysOfSeveralTypesMeanTheirText(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	u := &url.URL{Scheme: "https", Host: "example.com"}
	require.NoError(t, s.Set(t.Context(), "https://example.com", "by text"))
	for _, key := range []any{u, []byte("https://example.com"), cacheKey("https://example.com")} {
		got, err := s.Get(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, "by text", got)
	}
}

type cacheKey string

func (k cacheKey) GetCacheKey() string { return string(k) }

func TestValuesThatCannotBeMeasuredAreRefused(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	for name, value := range map[string]any{
		"nil": nil, "a struct": struct{ Password string }{"hunter2"}, "an int": 1, "a negative size": sizer(-1),
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Set(t.Context(), "key", value)
			require.ErrorIs(t, err, cachestore.ErrValueType)
			var typed *cachestore.ValueTypeError
			require.ErrorAs(t, err, &typed)
			require.Equal(t, fmt.Sprintf("%T", value), typed.Type)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
	require.Zero(t, s.Len())
}

type sizer int64

func (s sizer) Size() int64 { return int64(s) }

func TestAnEntryOverTheCapIsRefusedAndTheOldOneStays(t *testing.T) {
	s := newStore(t, memory.Config{MaxBytes: 1 << 20, MaxEntryBytes: 1 << 10})
	require.NoError(t, s.Set(t.Context(), "key", "old"))
	for name, value := range map[string]any{
		"by one byte":            sizer(1<<10 - memory.EntryOverhead - 3 + 1),
		"by all that there is":   sizer(math.MaxInt64),
		"because of a long tail": make([]byte, 1, 1<<10),
	} {
		err := s.Set(t.Context(), "key", value)
		require.ErrorIs(t, err, cachestore.ErrTooLarge, name)
		var typed *cachestore.TooLargeError
		require.ErrorAs(t, err, &typed)
		require.EqualValues(t, 1<<10, typed.Limit)
		require.Greater(t, typed.Size, typed.Limit)
	}
	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "old", got)

	require.NoError(t, s.Set(t.Context(), "key", sizer(1<<10-memory.EntryOverhead-3)), "exactly the cap")
}

func TestEntriesAreChargedKeyValueTagsAndOverhead(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	require.NoError(t, s.Set(t.Context(), "12345", sizer(1000)))
	require.EqualValues(t, memory.EntryOverhead+5+1000, s.Stats().Bytes)
	require.NoError(t, s.Set(t.Context(), "12345", sizer(1), store.WithTags([]string{"123", "123", "1"})))
	require.EqualValues(t, memory.EntryOverhead+5+1+2*memory.TagOverhead+3+1, s.Stats().Bytes)
	require.NoError(t, s.Clear(t.Context()))
	require.Zero(t, s.Stats().Bytes)
}

func TestStatsCountWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		s := newStore(t, memory.DefaultConfig())
		require.NoError(t, s.Set(ctx, "a", "1"))
		require.NoError(t, s.Set(ctx, "b", "2", store.WithExpiration(time.Second)))
		for _, key := range []string{"a", "a", "b", "absent"} {
			_, _ = s.Get(ctx, key)
		}
		time.Sleep(time.Second)
		require.Equal(t, 2, s.Len(), "what has expired stays until it is read")
		_, _, err := s.GetWithTTL(ctx, "b")
		require.ErrorIs(t, err, store.NotFound{})
		stats := s.Stats()
		require.Equal(t, memory.Stats{
			Hits: 3, Misses: 2, Entries: 1, MaxBytes: 64 << 20, Bytes: memory.EntryOverhead + 2,
		}, stats)
	})
}

func TestCountsAreExactUnderConcurrency(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	require.NoError(t, s.Set(t.Context(), "a", "1"))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 500 {
				_, _ = s.Get(context.Background(), "a")
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 10_000, s.Stats().Hits)
}

func TestAnAbsurdlyLongTTLIsNoEnd(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	require.NoError(t, s.Set(t.Context(), "a", "1", store.WithExpiration(math.MaxInt64)))
	got, ttl, err := s.GetWithTTL(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "1", got)
	require.Zero(t, ttl)
}

func TestAnExpiredReadDoesNotDeleteWhatReplacedIt(t *testing.T) {
	s := newStore(t, memory.DefaultConfig())
	ctx := t.Context()
	for i := range 2000 {
		require.NoError(t, s.Set(ctx, "a", "old", store.WithExpiration(1)))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = s.Get(ctx, "a") })
		wg.Go(func() { _ = s.Set(ctx, "a", "new") })
		wg.Wait()
		got, err := s.Get(ctx, "a")
		require.NoError(t, err, "round %d", i)
		require.Equal(t, "new", got)
	}
}

func TestMemoryStaysUnderTheBound(t *testing.T) {
	entries := 60_000
	if os.Getenv("HEADGATE_SOAK") == "1" {
		entries = 2_000_000
	}
	const maxBytes = 4 << 20
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	for name, options := range map[string][]store.Option{
		"plain":  nil,
		"tagged": {store.WithTags([]string{"all"})},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			s := newStore(t, memory.Config{MaxBytes: maxBytes, MaxEntryBytes: 1 << 20})
			for i := range entries {
				o := options
				if o != nil { // a tag of its own besides: the index must shrink too
					o = []store.Option{store.WithTags([]string{"all", fmt.Sprintf("tag-%d", i)})}
				}
				require.NoError(t, s.Set(t.Context(), fmt.Sprintf("entry-%010d", i), fmt.Sprintf("value-%d", i), o...))
			}
			stats := s.Stats()
			require.LessOrEqual(t, stats.Bytes, int64(maxBytes))
			require.Greater(t, stats.Bytes, int64(maxBytes*9/10), "the room is used")
			require.EqualValues(t, entries, uint64(stats.Entries)+stats.Evictions)
			grown := heap() - before
			t.Logf("%d entries held, charged %d bytes, heap grew by %d", stats.Entries, stats.Bytes, grown)
			require.LessOrEqual(t, grown, int64(maxBytes), "EntryOverhead and TagOverhead are too small")
			runtime.KeepAlive(s)
		})
	}
}

func TestUpdateShrinksAtOnceAndRefusesNonsense(t *testing.T) {
	s := newStore(t, memory.Config{MaxBytes: 1 << 20, MaxEntryBytes: 64 << 10})
	for i := range 100 {
		require.NoError(t, s.Set(t.Context(), fmt.Sprint(i), sizer(8<<10)))
	}
	require.Greater(t, s.Stats().Bytes, int64(512<<10))

	require.Error(t, s.Update(memory.Config{}))
	require.EqualValues(t, 1<<20, s.Stats().MaxBytes)

	require.NoError(t, s.Update(memory.Config{MaxBytes: 64 << 10, MaxEntryBytes: 4 << 10}))
	require.LessOrEqual(t, s.Stats().Bytes, int64(64<<10))
	require.ErrorIs(t, s.Set(t.Context(), "a", sizer(8<<10)), cachestore.ErrTooLarge)
}

func TestConfigReportsEverythingAtOnce(t *testing.T) {
	require.NoError(t, memory.DefaultConfig().Validate())
	for name, test := range map[string]struct {
		cfg  memory.Config
		want []string
	}{
		"zero":                  {memory.Config{}, []string{"max_bytes: 0B: want at least 1KiB", "max_entry_bytes: 0B: want at least 1KiB"}},
		"negative":              {memory.Config{MaxBytes: -1, MaxEntryBytes: -1}, []string{"max_bytes: -1B", "max_entry_bytes: -1B"}},
		"an entry over the sum": {memory.Config{MaxBytes: 1 << 20, MaxEntryBytes: 2 << 20}, []string{"max_entry_bytes: 2MiB: want at most max_bytes, which is 1MiB"}},
		"an entry of 4GiB":      {memory.Config{MaxBytes: 8 << 30, MaxEntryBytes: 4 << 30}, []string{"max_entry_bytes: 4GiB: want less than 4GiB"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.cfg.Validate()
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := memory.New(memory.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	require.ErrorContains(t, err, "max_bytes")
	require.ErrorContains(t, err, "max_entry_bytes")
}

func TestTagsUnderConcurrencyLeaveNothingBehind(t *testing.T) {
	s := newStore(t, memory.Config{MaxBytes: 256 << 10, MaxEntryBytes: 4 << 10}) // small: it evicts all the time
	ctx := t.Context()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				key, tag := fmt.Sprint(i%300), fmt.Sprint((i+w)%5)
				switch i % 7 {
				case 0:
					_ = s.Invalidate(ctx, store.WithInvalidateTags([]string{tag}))
				case 1:
					_ = s.Delete(ctx, key)
				case 2:
					if i%500 == 2 {
						_ = s.Clear(ctx)
					}
				default:
					if err := s.Set(ctx, key, sizer(100), store.WithTags([]string{tag, "all"})); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Invalidate(ctx, store.WithInvalidateTags([]string{"all"})))
	require.Zero(t, s.Stats().Entries, "an entry that the index had lost")
	require.Zero(t, s.Tags(), "tags of entries that are gone")
}
