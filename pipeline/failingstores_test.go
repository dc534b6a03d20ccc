package pipeline_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// counts is how many events there were of each kind.
type counts struct {
	mu    sync.Mutex
	count map[string]int
}

func (k *counts) Observe(_ context.Context, e middleware.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count == nil {
		k.count = map[string]int{}
	}
	k.count[e.Kind]++
}

func (k *counts) of(kind string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.count[kind]
}

func TestARedisThatDiesIsSkipped(t *testing.T) {
	server := startRedis(t)
	t.Setenv("TEST_REDIS", server.address)
	t.Setenv("TEST_FOLDER", filepath.Join(t.TempDir(), "cache"))
	for _, store := range []string{"redis", "tiered/three"} {
		t.Setenv("TEST_STORE", store)
		_, up := newVersions(t)
		seen := &counts{}
		p := openWithStores(t, overStores, pipeline.WithObserver(seen))
		before := call{path: "/40"}.over(t, p, up)
		server.kill()
		for range 10 {
			require.Equal(t, 200, call{path: "/41"}.over(t, p, up).status, store)
		}
		if store == "tiered/three" {
			require.Equal(t, before.body, call{path: "/40"}.over(t, p, up).body, "the tiers above have it")
		}
		require.Equal(t, 1, seen.of(tiered.EventTierDown), store)
		require.NoError(t, p.Stop(t.Context()))
	}
}

// A store that hangs costs the first call its timeouts, and no other call anything.
func TestARedisThatHangsIsSkipped(t *testing.T) {
	t.Setenv("TEST_REDIS", hangingServer(t))
	_, up := newVersions(t)
	seen := &counts{}
	p := openWithStores(t, `
pipelines:
  api:
    order: [cache]
    stores: {redis: {addresses: ["${env:TEST_REDIS}"], timeout: 50ms}}
    stages: {cache: {store: redis}}
`, pipeline.WithObserver(seen))
	defer func() { require.NoError(t, p.Stop(t.Context())) }()
	for range 3 {
		call{path: "/50"}.over(t, p, up)
	}
	require.Equal(t, 1, seen.of(tiered.EventTierDown))
	reads := seen.of("store_failed")
	began := time.Now()
	for range 200 {
		call{path: "/50"}.over(t, p, up)
	}
	require.Less(t, time.Since(began), 200*50*time.Millisecond, "not one of them has waited")
	require.Equal(t, reads, seen.of("store_failed"), "it was told when it began")
	require.Equal(t, 1, seen.of(tiered.EventTierDown))
}

// unwritable is a store in memory that cannot be changed for a while, and counts what it was asked to.
type unwritable struct {
	mu      sync.Mutex
	values  map[any]any
	refuses atomic.Bool
}

var errReadOnly = errors.New("read-only file system")

func (u *unwritable) Get(_ context.Context, key any) (any, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if v, ok := u.values[key]; ok {
		return v, nil
	}
	return nil, cachestore.ErrNotFound
}

func (u *unwritable) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	v, err := u.Get(ctx, key)
	return v, 0, err
}

func (u *unwritable) change(do func()) error {
	if u.refuses.Load() {
		return errReadOnly
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	do()
	return nil
}

func (u *unwritable) Set(_ context.Context, key, value any, _ ...store.Option) error {
	return u.change(func() { u.values[key] = value })
}

func (u *unwritable) Delete(_ context.Context, key any) error {
	return u.change(func() { delete(u.values, key) })
}

func (u *unwritable) Invalidate(context.Context, ...store.InvalidateOption) error {
	return store.ErrNotSupported
}
func (u *unwritable) Clear(context.Context) error { return u.change(func() { clear(u.values) }) }
func (u *unwritable) GetType() string             { return "unwritable" }

// RFC 9111, section 4.4: what a PUT has changed is not served from before it, whether the store lets go of it or not.
func TestAStoreThatCannotForgetIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &unwritable{values: map[any]any{}}
		p, err := pipeline.New("api", pipeline.Config{
			Order: []string{"cache"}, Stages: map[string]any{"cache": map[string]any{"store": "own", "purge_within": "0s"}},
		}, pipeline.WithBase(counting()), pipeline.WithStore("own", s))
		require.NoError(t, err)
		do := func(method string) string {
			return bodyOf(t, p, request(t, t.Context(), method, "http://api.example.com/"))
		}
		before := do(http.MethodGet)
		require.Equal(t, before, do(http.MethodGet))
		s.refuses.Store(true)
		do(http.MethodPut)
		for range 3 {
			require.NotEqual(t, before, do(http.MethodGet))
			time.Sleep(11 * time.Second)
		}
		s.refuses.Store(false)
		do(http.MethodGet)
		synctest.Wait()
		after := do(http.MethodGet)
		require.NotEqual(t, before, after)
		require.Equal(t, after, do(http.MethodGet), "it is used again")
		require.NoError(t, p.Stop(t.Context()))
	})
}

func TestReloadWithAnotherTimeoutOfTheStore(t *testing.T) {
	s := &unwritable{values: map[any]any{}}
	cfg := func(timeout string) pipeline.Config {
		return pipeline.Config{Order: []string{"cache"}, Stages: map[string]any{"cache": map[string]any{"store": "own", "store_timeout": timeout}}}
	}
	p := build(t, cfg("1s"), counting(), pipeline.WithStore("own", s))
	get := func() string { return bodyOf(t, p, request(t, t.Context(), http.MethodGet, "http://api.example.com/")) }
	before := get()
	for _, timeout := range []string{"1s", "2s"} {
		require.NoError(t, p.Reload(t.Context(), cfg(timeout)))
		require.Equal(t, before, get(), "it is still there")
	}
}
