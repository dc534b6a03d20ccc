package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func setOf(t *testing.T, client *goredis.Client) string {
	t.Helper()
	sets, err := client.Keys(t.Context(), "headgate:t:*").Result()
	require.NoError(t, err)
	require.Len(t, sets, 1)
	return sets[0]
}

func TestATagsSetExpiresWithTheLastOfItsEntries(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		s := newStore(t, client, config())
		tags := store.WithTags([]string{"tag"})
		require.NoError(t, s.Set(t.Context(), "long", "1", tags, store.WithExpiration(time.Hour)))
		require.NoError(t, s.Set(t.Context(), "short", "2", tags, store.WithExpiration(time.Minute)))
		ttl := client.PTTL(t.Context(), setOf(t, client)).Val()
		require.InDelta(t, time.Hour, ttl, float64(10*time.Minute))

		require.NoError(t, s.Set(t.Context(), "endless", "3", tags))
		require.EqualValues(t, -1, client.PTTL(t.Context(), setOf(t, client)).Val(), "no end")
		require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
		require.Empty(t, keysOf(t, client), "the set is gone with its entries")
	})
}

func TestATagsSetIsTrimmedOfWhatHasExpired(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		s := newStore(t, client, config())
		tags := store.WithTags([]string{"tag"})
		require.NoError(t, s.Set(t.Context(), "endless", "1", tags))
		for i := range 50 {
			require.NoError(t, s.Set(t.Context(), fmt.Sprint(i), "1", tags, store.WithExpiration(time.Millisecond)))
		}
		require.Eventually(t, func() bool {
			require.NoError(t, s.Set(t.Context(), "another", "1", tags))
			return client.ZCard(t.Context(), setOf(t, client)).Val() == 2
		}, 10*time.Second, 5*time.Millisecond)
	})
}

func TestInvalidateTakesManyEntriesInBatches(t *testing.T) {
	onEachServer(t, func(t *testing.T, address string) {
		client := newClient(t, address)
		s := newStore(t, client, config())
		for i := range 1300 {
			require.NoError(t, s.Set(t.Context(), fmt.Sprint(i), "1", store.WithTags([]string{"tag"})))
		}
		require.NoError(t, s.Set(t.Context(), "7", "1", store.WithTags([]string{"other"})))
		require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
		require.Len(t, keysOf(t, client), 2, "the one that has another tag now, and that tag")
	})
}

func TestTagsBehindAVeryLongKeyAreInvalidatedToo(t *testing.T) {
	client := newClient(t, miniredis.RunT(t).Addr())
	s := newStore(t, client, config())
	long := strings.Repeat("k", 8000)
	require.NoError(t, s.Set(t.Context(), long, "1", store.WithTags([]string{"tag"})))
	require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	_, err := s.Get(t.Context(), long)
	require.ErrorIs(t, err, store.NotFound{})
}

func TestForeignKeysInATagsSetStay(t *testing.T) {
	client := newClient(t, miniredis.RunT(t).Addr())
	s := newStore(t, client, config())
	require.NoError(t, s.Set(t.Context(), "key", "1", store.WithTags([]string{"tag"})))
	for name, put := range map[string]error{
		"a list":   client.LPush(t.Context(), "theirs:list", "1").Err(),
		"a string": client.Set(t.Context(), "theirs:string", "1", 0).Err(),
	} {
		require.NoError(t, put, name)
	}
	for _, member := range []string{"theirs:list", "theirs:string"} {
		require.NoError(t, client.ZAdd(t.Context(), setOf(t, client), goredis.Z{Score: 1, Member: member}).Err())
	}
	require.NoError(t, s.Invalidate(t.Context(), store.WithInvalidateTags([]string{"tag"})))
	require.ElementsMatch(t, []string{"theirs:list", "theirs:string"}, keysOf(t, client))
}
