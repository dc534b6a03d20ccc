package stores_test

import (
	"testing"
	"time"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	ristrettostore "github.com/eko/gocache/store/ristretto/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/storetest"
)

func adapted(t testing.TB, s store.StoreInterface) store.StoreInterface {
	t.Helper()
	a, err := cachestore.Adapt(s, cachestore.WithExclusive())
	require.NoError(t, err)
	return a
}

func TestRistretto(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.StoreInterface {
		client, err := ristretto.NewCache(&ristretto.Config[string, any]{NumCounters: 1e5, MaxCost: 64 << 20, BufferItems: 64})
		require.NoError(t, err)
		t.Cleanup(client.Close)
		return adapted(t, ristrettostore.NewRistretto(client, store.WithSynchronousSet()))
	}, storetest.WithShortestTTL(time.Second))
}

// Its janitor is off: a goroutine that only a finalizer stops.
func TestGoCache(t *testing.T) {
	storetest.Run(t, func(t testing.TB) store.StoreInterface {
		return adapted(t, gocachestore.NewGoCache(gocache.New(gocache.NoExpiration, 0)))
	}, storetest.WithShortestTTL(time.Second))
}
