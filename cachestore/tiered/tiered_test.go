package tiered_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/redis"
	"github.com/headgate-go/headgate/cachestore/storetest"
	"github.com/headgate-go/headgate/cachestore/tiered"
)

func inMemory(t testing.TB) store.StoreInterface {
	s, err := memory.New(memory.DefaultConfig())
	require.NoError(t, err)
	return s
}

func onDisk(t testing.TB) store.StoreInterface {
	cfg := disk.DefaultConfig()
	cfg.Folder = t.TempDir()
	s, err := disk.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func inRedis(t testing.TB) store.StoreInterface {
	client := goredis.NewClient(&goredis.Options{Addr: miniredis.RunT(t).Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	cfg := redis.DefaultConfig()
	cfg.Timeout = 10 * time.Second
	s, err := redis.New(client, cfg)
	require.NoError(t, err)
	return s
}

func inAdapter(t testing.TB) store.StoreInterface { return newFake(t) }

func TestConformance(t *testing.T) {
	type making = func(testing.TB) store.StoreInterface
	for name, test := range map[string]struct {
		tiers []making
		time  storetest.Option
	}{
		"memory alone":           {[]making{inMemory}, storetest.WithFakeTime()},
		"memory over disk":       {[]making{inMemory, onDisk}, storetest.WithFakeTime()},
		"an adapter over memory": {[]making{inAdapter, inMemory}, storetest.WithFakeTime()},
		"all over each other":    {[]making{inMemory, onDisk, inRedis}, storetest.WithShortestTTL(20 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) store.StoreInterface {
				cfg := tiered.DefaultConfig()
				cfg.Timeout = timeout
				stores := map[string]store.StoreInterface{}
				for i, newTier := range test.tiers {
					name := string(rune('a' + i))
					cfg.Tiers, stores[name] = append(cfg.Tiers, name), newTier(t)
				}
				s, err := tiered.New(cfg, stores)
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
				return s
			}, storetest.WithTags(), test.time)
		})
	}
}

func TestAReadFillsTheTiersAboveForTheRestOfTheLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value", store.WithExpiration(time.Hour), store.WithTags([]string{"tag"})))
		require.NoError(t, r.a.Adapter.Clear(t.Context()))
		require.NoError(t, r.b.Adapter.Clear(t.Context()))
		time.Sleep(40 * time.Minute)

		got, ttl, err := r.GetWithTTL(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, "value", string(got.([]byte)))
		require.Equal(t, 20*time.Minute, ttl)
		for _, tier := range []*fake{r.a, r.b} {
			require.Equal(t, 20*time.Minute, tier.lastTTL)
			require.Len(t, tier.lastTags, 1)
		}
		require.Equal(t, 1, r.c.count("set"), "where it came from it is not stored again")

		reads := r.b.count("get")
		r.requireValue(t, "value")
		require.Equal(t, reads, r.b.count("get"), "the first tier has it")

		time.Sleep(20*time.Minute - 1)
		r.requireValue(t, "value")
		time.Sleep(time.Nanosecond)
		r.requireMiss(t)
	})
}

// foreverStore forgets the TTL, as some stores do.
type foreverStore struct{ *fake }

func (s foreverStore) Set(ctx context.Context, key any, value any, _ ...store.Option) error {
	return s.fake.Set(ctx, key, value)
}

func TestTheEndHoldsWhateverATierMakesOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(t), newFake(t)
		s, err := tiered.New(config("a", "b"), map[string]store.StoreInterface{"a": a, "b": foreverStore{b}})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Stop(t.Context())) }()
		require.NoError(t, s.Set(t.Context(), "key", "value", store.WithExpiration(time.Minute)))
		time.Sleep(time.Minute)
		_, err = b.Get(t.Context(), "key")
		require.NoError(t, err, "the tier still has it")
		_, err = s.Get(t.Context(), "key")
		require.ErrorIs(t, err, store.NotFound{})
	})
}

func TestWhatIsFilledUpwardsIsInvalidatedThere(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.Set(t.Context(), "key", "value", store.WithTags([]string{"tag"})))
	require.NoError(t, r.a.Adapter.Clear(t.Context()))
	r.requireValue(t, "value")
	require.NoError(t, r.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	for _, tier := range []*fake{r.a, r.b, r.c} {
		_, err := tier.Adapter.Get(t.Context(), "key")
		require.ErrorIs(t, err, store.NotFound{})
	}
}

func TestACopyUpwardsThatADeleteHasOvertakenIsNotMade(t *testing.T) {
	for name, write := range map[string]func(r *rig) error{
		"delete": func(r *rig) error { return r.Delete(context.Background(), "key") },
		"invalidate": func(r *rig) error {
			return r.Invalidate(context.Background(), store.WithInvalidateTags([]string{"tag"}))
		},
		"clear": func(r *rig) error { return r.Clear(context.Background()) },
		"set":   func(r *rig) error { return r.Set(context.Background(), "key", "new") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				require.NoError(t, r.Set(t.Context(), "key", "old", store.WithTags([]string{"tag"})))
				require.NoError(t, r.a.Adapter.Clear(t.Context()))
				require.NoError(t, r.b.Adapter.Clear(t.Context()))
				slow := &slowReader{fake: r.c, release: make(chan struct{})}
				s, err := tiered.New(config("a", "b", "c"), map[string]store.StoreInterface{"a": r.a, "b": r.b, "c": slow})
				require.NoError(t, err)
				r.Store = s
				go func() { _, _ = s.Get(t.Context(), "key") }()
				synctest.Wait() // it has read the old value, and not copied it
				require.NoError(t, write(r))
				close(slow.release)
				synctest.Wait()
				if name == "set" {
					r.requireValue(t, "new")
				} else {
					r.requireMiss(t)
				}
				require.NoError(t, s.Stop(t.Context()))
			})
		})
	}
}

// slowReader has read when it begins to wait.
type slowReader struct {
	*fake
	release chan struct{}
}

func (s *slowReader) Get(ctx context.Context, key any) (any, error) {
	v, err := s.fake.Get(ctx, key)
	<-s.release
	return v, err
}

func TestAValueThatATierDoesNotTakeIsInTheOthers(t *testing.T) {
	small, err := memory.New(memory.Config{MaxBytes: 1 << 20, MaxEntryBytes: 1 << 10})
	require.NoError(t, err)
	large := newFake(t)
	s, err := tiered.New(config("small", "large"), map[string]store.StoreInterface{"small": small, "large": large})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop(t.Context())) }()

	require.NoError(t, s.Set(t.Context(), "key", "old"))
	require.NoError(t, s.Set(t.Context(), "key", make([]byte, 4<<10)))
	require.Zero(t, small.Len(), "not the old one")
	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Len(t, got, 4<<10)
	require.False(t, s.Stats().Tiers[0].Down)
	require.ErrorIs(t, s.Set(t.Context(), "key", make([]byte, 16<<20)), cachestore.ErrTooLarge, "for both")
}

func TestForeignValuesAreMissesAndDeleted(t *testing.T) {
	r := newRig(t)
	for _, value := range []string{"", "short", "\x02a frame of another version", "\x01\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"} {
		require.NoError(t, r.a.Adapter.Set(t.Context(), "key", value))
		r.requireMiss(t)
		_, err := r.a.Adapter.Get(t.Context(), "key")
		require.ErrorIs(t, err, store.NotFound{})
	}
}

func TestAfterStopEverythingIsAnError(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.Stop(t.Context()))
	require.NoError(t, r.Stop(t.Context()), "twice")
	_, err := r.Get(t.Context(), "key")
	for _, err := range []error{err, r.Set(t.Context(), "key", "value"), r.Delete(t.Context(), "key"), r.Clear(t.Context())} {
		require.ErrorIs(t, err, cachestore.ErrStopped)
		require.ErrorIs(t, err, cachestore.ErrStore)
	}
	require.Zero(t, r.a.count("get"))
}

func TestConfigurationMistakesAreToldAllAtOnce(t *testing.T) {
	_, err := tiered.New(tiered.Config{}, nil)
	require.ErrorContains(t, err, "DefaultConfig")
	require.EqualError(t, tiered.DefaultConfig().Validate(), "tiers: it is empty; write for example [memory, disk]")
	err = tiered.Config{Tiers: []string{"a", "a", ""}}.Validate()
	for _, says := range []string{`tiers: "a" stands twice`, "tiers: one of the names is empty", "timeout: 0s", "failures: 0", "skip_for: 0s", "max_owed: 0"} {
		require.ErrorContains(t, err, says)
	}
	_, err = tiered.New(config("a", "b"), map[string]store.StoreInterface{"b": nil})
	require.ErrorContains(t, err, `no store "a"`)
	require.ErrorContains(t, err, `no store "b"`)
}
