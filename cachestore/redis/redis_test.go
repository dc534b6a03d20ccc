package redis_test

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/redis"
	"github.com/headgate-go/headgate/cachestore/storetest"
	"github.com/headgate-go/headgate/middleware"
)

func TestConformance(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client, made := newClient(t, address), atomic.Int64{}
		storetest.Run(t,
			func(t testing.TB) store.StoreInterface {
				cfg := config()
				cfg.Prefix = prefix(int(made.Add(1))) // all on one server
				return newStore(t, client, cfg)
			},
			storetest.WithTags(), storetest.WithShortestTTL(20*time.Millisecond))
	})
}

func TestClearLeavesEverythingElseAlone(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		cfg := config()
		cfg.Prefix = "mine:"
		s := newStore(t, client, cfg)
		for _, key := range []string{"mine", "min:x", "theirs:mine:x", "MINE:x"} {
			require.NoError(t, client.Set(t.Context(), key, "not ours", 0).Err())
		}
		for i := range 2500 { // several batches
			require.NoError(t, client.Set(t.Context(), "mine:"+prefix(i), "ours", 0).Err())
		}
		require.NoError(t, s.Set(t.Context(), "key", "value", store.WithTags([]string{"tag"})))
		require.NoError(t, s.Clear(t.Context()))
		require.ElementsMatch(t, []string{"mine", "min:x", "theirs:mine:x", "MINE:x"}, keysOf(t, client))
	})
}

func TestTTLsAreToldToTheServerInMilliseconds(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		s := newStore(t, client, config())
		require.NoError(t, s.Set(t.Context(), "key", "value", store.WithExpiration(time.Hour+time.Nanosecond)))
		require.Len(t, keysOf(t, client), 1)
		ttl, err := client.PTTL(t.Context(), keysOf(t, client)[0]).Result()
		require.NoError(t, err)
		require.LessOrEqual(t, ttl, time.Hour+time.Millisecond)
		require.Greater(t, ttl, 50*time.Minute)

		require.NoError(t, s.Set(t.Context(), "key", "value", store.WithExpiration(time.Nanosecond)), "rounded up, not to no end")
		_, err = s.Get(t.Context(), "key")
		require.ErrorIs(t, err, store.NotFound{})
	})
}

func TestKeysShowNoURL(t *testing.T) {
	client := newClient(t, miniredis.RunT(t).Addr())
	s := newStore(t, client, config())
	require.NoError(t, s.Set(t.Context(), "https://example.com/?token=hunter2", "v", store.WithTags([]string{"hunter2"})))
	for _, key := range keysOf(t, client) {
		require.Regexp(t, `^headgate:[et]:[0-9a-f]{64}$`, key)
	}
	require.Len(t, keysOf(t, client), 2)
}

func TestValuesThatAreNoEntryAreMissesCountedAndDeleted(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		cfg := config()
		cfg.MaxEntryBytes = middleware.KiB
		s := newStore(t, client, cfg)
		require.NoError(t, s.Set(t.Context(), "key", bytes.Repeat([]byte("v"), 100)))
		name := keysOf(t, client)[0]
		whole, err := client.Get(t.Context(), name).Bytes()
		require.NoError(t, err)
		flipped := bytes.Clone(whole)
		flipped[len(flipped)-1] ^= 1
		version := bytes.Clone(whole)
		version[4] = 2
		other, err := cachestore.Encode(cachestore.Entry{Key: "another"})
		require.NoError(t, err)

		for kind, put := range map[string]func() error{
			"torn":                 func() error { return client.Set(t.Context(), name, whole[:90], 0).Err() },
			"damaged":              func() error { return client.Set(t.Context(), name, flipped, 0).Err() },
			"of another version":   func() error { return client.Set(t.Context(), name, version, 0).Err() },
			"of another key":       func() error { return client.Set(t.Context(), name, other, 0).Err() },
			"foreign":              func() error { return client.Set(t.Context(), name, "somebody else's", 0).Err() },
			"larger than any":      func() error { return client.Set(t.Context(), name, make([]byte, 1<<20), 0).Err() },
			"not even a string":    func() error { return client.LPush(t.Context(), name, "a", "b").Err() },
			"long but well formed": func() error { return client.Set(t.Context(), name, append(bytes.Clone(whole), 0), 0).Err() },
		} {
			t.Run(kind, func(t *testing.T) {
				require.NoError(t, client.Del(t.Context(), name).Err())
				require.NoError(t, put())
				before := s.Stats().Damaged
				_, err := s.Get(t.Context(), "key")
				require.ErrorIs(t, err, store.NotFound{})
				require.Equal(t, before+1, s.Stats().Damaged)
				require.Empty(t, keysOf(t, client))
			})
		}
	})
}

func TestAnEntryOverTheCapIsRefusedAndTheOldOneStays(t *testing.T) {
	cfg := config()
	cfg.MaxEntryBytes = middleware.KiB
	s := newStore(t, newClient(t, miniredis.RunT(t).Addr()), cfg)
	require.NoError(t, s.Set(t.Context(), "key", "old"))
	require.ErrorIs(t, s.Set(t.Context(), "key", make([]byte, 1<<10)), cachestore.ErrTooLarge)
	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "old", string(got.([]byte)))
	require.NoError(t, s.Set(t.Context(), "key", make([]byte, 1<<10-72-3)), "exactly the cap")
	_, err = s.Get(t.Context(), "key")
	require.NoError(t, err)
}

func TestAServerThatIsGoneIsAnError(t *testing.T) {
	server := miniredis.RunT(t)
	s := newStore(t, newClient(t, server.Addr()), config())
	server.Close()
	_, err := s.Get(t.Context(), "https://example.com/?token=hunter2")
	for _, err := range []error{
		err,
		s.Set(t.Context(), "key", "hunter2"),
		s.Delete(t.Context(), "key"),
		s.Clear(t.Context()),
		s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})),
	} {
		require.ErrorIs(t, err, cachestore.ErrStore)
		require.False(t, cachestore.IsMiss(err))
		require.NotContains(t, err.Error(), "hunter2")
		require.ErrorContains(t, err, "connection refused")
	}
}

func TestAServerThatRefusesIsAnError(t *testing.T) {
	server := miniredis.RunT(t)
	s := newStore(t, newClient(t, server.Addr()), config())
	server.SetError("OOM command not allowed when used memory > 'maxmemory'.")
	require.ErrorIs(t, s.Set(t.Context(), "key", "value"), cachestore.ErrStore)
	_, err := s.Get(t.Context(), "key")
	require.ErrorIs(t, err, cachestore.ErrStore)
	require.Zero(t, s.Stats().Damaged)
}

func TestASlowServerIsGivenUpInTime(t *testing.T) {
	address := silent(t)
	cfg := redis.DefaultConfig()
	cfg.Timeout = 30 * time.Millisecond
	s := newStore(t, newClient(t, address), cfg)
	begin := time.Now()
	_, err := s.Get(t.Context(), "key")
	require.ErrorIs(t, err, cachestore.ErrStore)
	require.ErrorIs(t, s.Set(t.Context(), "key", "value"), cachestore.ErrStore)
	require.Less(t, time.Since(begin), 5*time.Second, "a default of the client's would be longer")
	var timeout interface{ Timeout() bool }
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
}

func TestTheCallersContextCountsToo(t *testing.T) {
	s := newStore(t, newClient(t, silent(t)), config())
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := s.Get(ctx, "key")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = s.Get(ctx, "key")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAClientThatIgnoresContextsIsRefused(t *testing.T) {
	for name, client := range map[string]goredis.UniversalClient{
		"a server":  goredis.NewClient(&goredis.Options{Addr: "localhost:1"}),
		"a cluster": goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{"localhost:1"}}),
		"a ring":    goredis.NewRing(&goredis.RingOptions{Addrs: map[string]string{"a": "localhost:1"}}),
	} {
		t.Run(name, func(t *testing.T) {
			defer client.Close()
			_, err := redis.New(client, redis.DefaultConfig())
			require.ErrorContains(t, err, "ContextTimeoutEnabled")
		})
	}
	_, err := redis.New(nil, redis.DefaultConfig())
	require.ErrorContains(t, err, "no client")
}

func TestConfigurationMistakesAreToldAllAtOnce(t *testing.T) {
	require.NoError(t, redis.DefaultConfig().Validate())
	_, err := redis.New(nil, redis.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	err = redis.Config{Prefix: "a*", Timeout: -1, MaxEntryBytes: 1}.Validate()
	for _, says := range []string{`prefix: "a*"`, "timeout: -1ns", "max_entry_bytes: 1B"} {
		require.ErrorContains(t, err, says)
	}
	require.ErrorContains(t, redis.Config{Prefix: strings.Repeat("a", 129)}.Validate(), "prefix: ")
}
