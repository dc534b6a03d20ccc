package redis_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	goredis "github.com/redis/go-redis/v9"

	"github.com/headgate-go/headgate/cachestore/storetest"
)

func TestConformanceWithOtherKindsOfClients(t *testing.T) {
	for name, connect := range map[string]func(address string) goredis.UniversalClient{
		"a cluster": func(address string) goredis.UniversalClient {
			return goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{address}, ContextTimeoutEnabled: true})
		},
		"a ring": func(address string) goredis.UniversalClient {
			return goredis.NewRing(&goredis.RingOptions{Addrs: map[string]string{"one": address}, ContextTimeoutEnabled: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, made := connect(miniredis.RunT(t).Addr()), atomic.Int64{}
			t.Cleanup(func() { _ = client.Close() })
			storetest.Run(t,
				func(t testing.TB) store.StoreInterface {
					cfg := config()
					cfg.Prefix = prefix(int(made.Add(1)))
					return newStore(t, client, cfg)
				},
				storetest.WithTags(), storetest.WithShortestTTL(20*time.Millisecond))
		})
	}
}
