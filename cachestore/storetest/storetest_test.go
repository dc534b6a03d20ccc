package storetest_test

import (
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const bound = 2 << 20

func correct(testing.TB) store.StoreInterface {
	s := newMapStore()
	s.bound = bound
	return s
}

// everything is all that the suite can demand of a store that copies.
func everything(opts ...storetest.Option) []storetest.Option {
	return append([]storetest.Option{
		storetest.WithTags(), storetest.WithFakeTime(), storetest.WithBound(bound), storetest.WithEntries(1000),
	}, opts...)
}

func TestACorrectStorePasses(t *testing.T) {
	storetest.Run(t, correct, everything()...)
}

func TestACorrectStorePassesInRealTime(t *testing.T) {
	storetest.Run(t, correct, storetest.WithShortestTTL(5*time.Millisecond))
}

func TestAStoreThatRefusesClearPasses(t *testing.T) {
	storetest.Run(t, func(testing.TB) store.StoreInterface { return refusesClear{newMapStore()} }, storetest.WithoutClear())
}

func TestAnImmutableStorePasses(t *testing.T) {
	storetest.Run(t, func(testing.TB) store.StoreInterface { return keepsPointers{newMapStore(), map[string]any{}} },
		storetest.Immutable(), storetest.WithFakeTime())
}

func TestNamesOfChecksAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, check := range storetest.Checks(everything()...) {
		require.False(t, seen[check.Name], check.Name)
		seen[check.Name] = true
	}
}

func TestOptionsChooseTheChecks(t *testing.T) {
	names := func(opts ...storetest.Option) (out []string) {
		for _, check := range storetest.Checks(opts...) {
			out = append(out, check.Name)
		}
		return out
	}
	require.NotContains(t, names(), "what_is_held_is_bounded")
	require.Contains(t, names(storetest.WithBound(1)), "what_is_held_is_bounded")
	require.NotContains(t, names(), "invalidate_removes_what_has_the_tag")
	require.Contains(t, names(storetest.WithTags()), "invalidate_removes_what_has_the_tag")
	require.NotContains(t, names(), "expires_at_the_instant")
	require.Contains(t, names(storetest.WithFakeTime()), "expires_at_the_instant")
	require.Contains(t, names(), "clear_removes_its_own_entries_only")
	require.NotContains(t, names(storetest.WithoutClear()), "clear_removes_its_own_entries_only")
	require.Contains(t, names(), "set_keeps_no_reference_to_the_value")
	require.NotContains(t, names(storetest.Immutable()), "set_keeps_no_reference_to_the_value")
}
