package tiered_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/tiered"
)

func TestTiersBelowSeeNowAndThenWhatIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		require.NoError(t, r.Set(t.Context(), "key", "value"))
		const reads = 10_000 // none of them is one in 64 with a chance of 1e-68
		for range reads {
			r.requireValue(t, "value")
			synctest.Wait()
		}
		require.Equal(t, reads, r.a.count("get"))
		for _, below := range []*fake{r.b, r.c} {
			require.Positive(t, below.count("get"))
			require.Less(t, below.count("get"), reads/20, "a few are enough")
		}
		require.EqualValues(t, reads, r.Stats().Tiers[0].Hits)
		require.Zero(t, r.Stats().Tiers[1].Hits, "these answer nobody")
	})
}

// over is a second process over the last tier of a rig.
func (r *rig) over(t *testing.T) *rig {
	second := &rig{a: newFake(t), b: newFake(t), c: r.c, journal: &journal{}}
	s, err := tiered.New(config("a", "b", "c"), map[string]store.StoreInterface{"a": second.a, "b": second.b, "c": r.c})
	require.NoError(t, err)
	second.Store = s
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return second
}

func TestTheLatestValueIsThatOfTheSharedTier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newRig(t)
		two := one.over(t)
		latest := cachestore.Latest(t.Context())
		require.NoError(t, one.Set(t.Context(), "key", "old"))
		two.requireValue(t, "old")
		require.NoError(t, one.Set(t.Context(), "key", "new"))
		two.requireValue(t, "old")
		got, err := two.Get(latest, "key")
		require.NoError(t, err)
		require.Equal(t, "new", string(got.([]byte)))
		two.requireValue(t, "new")

		require.NoError(t, one.Delete(t.Context(), "key"))
		_, err = two.Get(latest, "key")
		require.ErrorIs(t, err, store.NotFound{}, "the others have it still")

		require.NoError(t, one.Set(t.Context(), "key", "newer"))
		two.requireValue(t, "new")
		one.c.failing("get", errBroken)
		for range 5 {
			got, err = two.Get(latest, "key")
			require.NoError(t, err)
			require.Equal(t, "new", string(got.([]byte)), "the shared tier cannot tell")
		}
		one.c.failing("get", nil)
		time.Sleep(time.Minute)
	})
}
