package httpcache_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// ailing is a store that refuses to read or to write when it is told to.
type ailing struct {
	byteStore
	reads, writes atomic.Bool
}

var errAiling = errors.New("out of order")

func (s *ailing) Get(ctx context.Context, key any) (any, error) {
	if s.reads.Load() {
		return nil, errAiling
	}
	return s.byteStore.Get(ctx, key)
}

func (s *ailing) Set(ctx context.Context, key, value any, options ...store.Option) error {
	if s.writes.Load() {
		return errAiling
	}
	return s.byteStore.Set(ctx, key, value, options...)
}

// Trouble with the store is told when it begins and when it is over, however many calls there are in between.
func TestStoreTroubleIsToldOnce(t *testing.T) {
	for name, fail := range map[string]func(s *ailing, now bool){
		"reading":              func(s *ailing, now bool) { s.reads.Store(now) },
		"writing, not reading": func(s *ailing, now bool) { s.writes.Store(now) },
		"both":                 func(s *ailing, now bool) { s.reads.Store(now); s.writes.Store(now) },
	} {
		bubble(t, name, func(t *testing.T) {
			var kinds []string
			seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
				switch e.Kind {
				case httpcache.EventStoreFailed:
					require.ErrorIs(t, e.Err, errAiling)
					kinds = append(kinds, e.Kind)
				case httpcache.EventStoreRecovered:
					kinds = append(kinds, e.Kind)
				}
			})
			s := &ailing{byteStore: byteStore{values: map[string][]byte{}}}
			stage := newCache(t, nil, httpcache.WithStore(s), httpcache.WithReporter(middleware.Reporter{Observer: seen}))
			c := &client{t, middleware.Chain(always(200, "x", "Cache-Control", "max-age=3"), stage.Wrap)}
			calls := func(n int) {
				for range n {
					c.get()
					time.Sleep(time.Second)
				}
			}
			calls(5)
			require.Empty(t, kinds)
			for range 2 {
				fail(s, true)
				calls(30)
				require.Equal(t, []string{httpcache.EventStoreFailed}, kinds)
				require.Greater(t, stage.Stats().StoreErrors, uint64(5), "all are counted")
				fail(s, false)
				calls(8)
				require.Equal(t, []string{httpcache.EventStoreFailed}, kinds, "it may fail again")
				calls(5)
				require.Equal(t, []string{httpcache.EventStoreFailed, httpcache.EventStoreRecovered}, kinds)
				kinds = nil
			}
		})
	}
}

func TestAStoreThatIsEmptyIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recovered := 0
		seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
			if e.Kind == httpcache.EventStoreRecovered {
				recovered++
			}
		})
		s := &ailing{byteStore: byteStore{values: map[string][]byte{}}}
		stage := newCache(t, nil, httpcache.WithStore(s), httpcache.WithReporter(middleware.Reporter{Observer: seen}))
		c := &client{t, middleware.Chain(always(200, "x", "Cache-Control", "no-store"), stage.Wrap)}
		s.reads.Store(true)
		c.get()
		s.reads.Store(false)
		for range 20 {
			c.get()
			time.Sleep(time.Second)
		}
		require.Zero(t, recovered)
	})
}
