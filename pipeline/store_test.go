package pipeline_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/redis"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/pipeline"
)

// keeper is the settings of a stage that keeps something in a store.
type keeper struct {
	Store string `yaml:"store"`
}

func (keeper) Validate() error { return nil }

// keeping is the type of such stages; got is told of the stores that they were given.
func keeping(got map[string]store.StoreInterface) pipeline.Factory {
	return pipeline.Define("keeper", func() keeper { return keeper{Store: "memory"} },
		func(c keeper, env pipeline.Env) (pipeline.Stage[keeper], error) {
			s, err := env.Store(c.Store)
			if err != nil {
				return pipeline.Stage[keeper]{}, err
			}
			got[env.ID] = s
			return pipeline.Stage[keeper]{
				Wrap:   func(next http.RoundTripper) http.RoundTripper { return next },
				Update: func(keeper) {},
			}, nil
		})
}

func loadStores(t *testing.T, r *pipeline.Registry, text string, opts ...pipeline.Option) (*pipeline.Pipeline, error) {
	t.Helper()
	file, err := r.Load(files("http.yaml", text), "http.yaml")
	require.NoError(t, err)
	cfg, err := file.Pipeline("api")
	require.NoError(t, err)
	return r.New("api", cfg, append(opts, pipeline.WithBase(ok))...)
}

func TestStoresOfAConfiguration(t *testing.T) {
	server := miniredis.RunT(t)
	folder := filepath.Join(t.TempDir(), "cache")
	t.Setenv("TEST_REDIS", server.Addr())
	t.Setenv("TEST_FOLDER", folder)
	got := map[string]store.StoreInterface{}
	r := registry(t, keeping(got), pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open))
	p, err := loadStores(t, r, `
pipelines:
  api:
    order: [keeper/all, keeper/again, keeper/small, keeper/own]
    stores:
      disk: {folder: "${env:TEST_FOLDER}", max_bytes: 16MiB, max_entry_bytes: 2MiB}
      redis: {addresses: ["${env:TEST_REDIS}"], timeout: 10s}
      memory/small: {max_bytes: 1MiB, max_entry_bytes: 64KiB}
      tiered: {tiers: [memory, disk, redis], timeout: 10s}
    stages:
      keeper/all: {store: tiered}
      keeper/again: {store: tiered}
      keeper/small: {store: memory/small}
      keeper/own: {store: disk}
`)
	require.NoError(t, err)
	require.Empty(t, p.Warnings())
	require.NoDirExists(t, folder, "building does no I/O")
	require.Zero(t, server.TotalConnectionCount())
	require.IsType(t, (*tiered.Store)(nil), got["keeper/all"])
	require.Same(t, got["keeper/all"], got["keeper/again"], "one store for both")
	require.IsType(t, (*memory.Store)(nil), got["keeper/small"])
	require.IsType(t, (*disk.Store)(nil), got["keeper/own"])

	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, got["keeper/all"].Set(t.Context(), "key", "value"))
	value, err := got["keeper/own"].Get(t.Context(), "key")
	require.NoError(t, err, "it is on the disk")
	require.NotEmpty(t, value)
	require.Len(t, server.Keys(), 1, "and in Redis")
	reported := map[string]any{}
	for _, r := range p.Report() {
		reported[r.ID] = r.Stats
	}
	require.EqualValues(t, 1, reported["stores.disk"].(disk.Stats).Hits)
	require.Len(t, reported["stores.tiered"].(tiered.Stats).Tiers, 3)
	require.Contains(t, reported, "stores.memory/small")
	require.Contains(t, reported, "stores.redis")

	require.NoError(t, p.Stop(t.Context()))
	for _, id := range []string{"keeper/all", "keeper/own"} {
		require.ErrorIs(t, got[id].Delete(t.Context(), "key"), cachestore.ErrStopped)
	}
}

func TestWhatIsWrongWithStoresIsToldAllAtOnceWithItsPlace(t *testing.T) {
	_, err := tryLoad(`
pipelines:
  api:
    extends: standard
    stores:
      disk: {foldr: /tmp, max_bytes: 1KiB}
      disk/Big: {folder: /tmp}
      redis: {addresses: [localhost:6379]}
      memry: {}
      memory: {max_bytes: 1B}
      tiered: {tiers: [tiered/two]}
      tiered/two: {tiers: [memory, tiered]}
      tiered/none: {}
`)
	for _, says := range []string{
		`6:14: pipelines.api.stores.disk.foldr: unknown key; did you mean "folder"?`,
		`pipelines.api.stores.disk.folder: it is empty; write for example /var/cache/myapp`,
		`6:27: pipelines.api.stores.disk.max_bytes: 1KiB is too small`,
		`7:7: pipelines.api.stores.disk/Big: "Big" is not a name`,
		`8:7: pipelines.api.stores.redis: "redis": the core does not link it: import "github.com/headgate-go/headgate/cachestore/redis"`,
		`9:7: pipelines.api.stores.memry: "memry": unknown store type; did you mean "memory"?`,
		`10:16: pipelines.api.stores.memory.max_bytes: 1B: want at least 1KiB`,
		`11:7: pipelines.api.stores.tiered: the store is a tier of its own: tiered -> tiered/two -> tiered`,
		`pipelines.api.stores.tiered/none.tiers: it is empty; write for example [memory, disk]`,
	} {
		require.ErrorContains(t, err, says)
	}
}

func TestAStoreThatCannotBeFoundIsToldByNew(t *testing.T) {
	for name, c := range map[string]struct {
		store  string
		stores map[string]any
		says   string
	}{
		"of no type":              {"dsk", nil, `"dsk": unknown store; valid stores: memory; describe it under stores, or hand it in with pipeline.WithStore`},
		"without its settings":    {"disk", nil, `"disk": folder: it is empty; write for example /var/cache/myapp; it needs settings under stores`},
		"of another package":      {"redis/answers", nil, `import "github.com/headgate-go/headgate/cachestore/redis"`},
		"a tier that is not here": {"tiered", map[string]any{"tiered": map[string]any{"tiers": []any{"memory", "elsewhere"}}}, `tiered: tiers: "elsewhere": unknown store`},
	} {
		t.Run(name, func(t *testing.T) {
			r := registry(t, keeping(map[string]store.StoreInterface{}))
			_, err := r.New("api", pipeline.Config{Order: []string{"keeper"}, Stores: c.stores,
				Stages: map[string]any{"keeper": keeper{Store: c.store}}}, pipeline.WithBase(ok))
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestAStoreThatIsHandedInComesFirstAndIsNotStopped(t *testing.T) {
	cfg := disk.DefaultConfig()
	cfg.Folder = t.TempDir()
	own, err := disk.New(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, own.Stop(t.Context())) }()
	got := map[string]store.StoreInterface{}
	r := registry(t, keeping(got))
	p, err := r.New("api", pipeline.Config{
		Order:  []string{"keeper", "keeper/tiered"},
		Stages: map[string]any{"keeper": keeper{"disk"}, "keeper/tiered": keeper{"tiered"}},
		Stores: map[string]any{"disk": map[string]any{"folder": "/nowhere"}, "tiered": map[string]any{"tiers": []any{"memory", "disk"}}},
	}, pipeline.WithBase(ok), pipeline.WithStore("disk", own))
	require.NoError(t, err)
	require.Same(t, own, got["keeper"])
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, got["keeper/tiered"].Set(t.Context(), "key", "value"))
	require.NoError(t, p.Stop(t.Context()))
	_, err = own.Get(t.Context(), "key")
	require.NoError(t, err, "it is the caller's, and a tier")
}

func TestAStoreThatNobodyUsesIsAWarning(t *testing.T) {
	p := build(t, pipeline.Config{Stores: map[string]any{"memory/spare": nil}}, ok)
	require.Equal(t, []pipeline.Warning{{Path: "stores.memory/spare", Message: "no stage uses this store; write for example cache: {store: memory/spare}"}}, p.Warnings())
}

func TestReloadKeepsTheStoresThatStayAndStopsTheOthers(t *testing.T) {
	got := map[string]store.StoreInterface{}
	r := registry(t, keeping(got))
	cfg := func(folder string) pipeline.Config {
		return pipeline.Config{
			Order:  []string{"keeper/a", "keeper/b", "keeper/c"},
			Stages: map[string]any{"keeper/a": keeper{"disk/a"}, "keeper/b": keeper{"disk/b"}, "keeper/c": keeper{"tiered"}},
			Stores: map[string]any{
				"disk/a": map[string]any{"folder": "/nowhere/a"},
				"disk/b": map[string]any{"folder": folder},
				"tiered": map[string]any{"tiers": []any{"memory", "disk/b"}},
			},
		}
	}
	p, err := r.New("api", cfg(t.TempDir()), pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	a, b, c := got["keeper/a"], got["keeper/b"], got["keeper/c"]

	require.NoError(t, p.Reload(t.Context(), cfg(t.TempDir())))
	require.Same(t, a, got["keeper/a"])
	require.NotSame(t, b, got["keeper/b"], "other settings")
	require.NotSame(t, c, got["keeper/c"], "another tier")
	require.ErrorIs(t, b.Set(t.Context(), "key", "value"), cachestore.ErrStopped)
	require.ErrorIs(t, c.Set(t.Context(), "key", "value"), cachestore.ErrStopped)
	require.NoError(t, got["keeper/c"].Set(t.Context(), "key", "value"))
	_, err = a.Get(t.Context(), "key")
	require.ErrorIs(t, err, store.NotFound{}, "still open")
	require.NoError(t, p.Stop(t.Context()))
	require.ErrorIs(t, a.Set(t.Context(), "key", "value"), cachestore.ErrStopped)
}

func TestStoresAreInheritedByThePipelinesThatExtend(t *testing.T) {
	file := load(t, `
pipelines:
  base: {order: [], stores: {disk: {folder: /one, max_bytes: 8MiB, max_entry_bytes: 1MiB}}}
  api: {extends: base, stores: {disk: {folder: /two}}}
`)
	require.Equal(t, disk.Config{Folder: "/two", MaxBytes: 8 << 20, MaxEntryBytes: 1 << 20}, file.Pipelines["api"].Stores["disk"])
}

// living is a store that tells of its life.
type living struct {
	*memory.Store
	j    *journal
	fail error
}

func (l living) Start(context.Context) error { l.j.add("start the store"); return l.fail }
func (l living) Stop(context.Context) error  { l.j.add("stop the store"); return nil }

func TestAStoreOfOnesOwnStartsBeforeTheStagesAndStopsAfterThem(t *testing.T) {
	j, fail := new(journal), error(nil)
	own := pipeline.DefineStore("living", memory.DefaultConfig, func(c memory.Config) (living, error) {
		m, err := memory.New(c)
		return living{m, j, fail}, err
	})
	stage := pipeline.Define("keeper", func() keeper { return keeper{} }, func(_ keeper, env pipeline.Env) (pipeline.Stage[keeper], error) {
		_, err := env.Store("living")
		return pipeline.Stage[keeper]{
			Wrap:  func(next http.RoundTripper) http.RoundTripper { return next },
			Start: func(context.Context) error { j.add("start the stage"); return nil },
			Stop:  func(context.Context) error { j.add("stop the stage"); return nil },
		}, err
	})
	r := registry(t, own, stage)
	p, err := r.New("api", pipeline.Config{Order: []string{"keeper"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, []string{"start the store", "start the stage", "stop the stage", "stop the store"}, j.take())

	fail = errors.New("no room")
	p, err = r.New("api", pipeline.Config{Order: []string{"keeper"}}, pipeline.WithBase(ok))
	require.NoError(t, err)
	require.EqualError(t, p.Start(t.Context()), "pipeline api: start the store living: no room")
	require.NoError(t, p.Stop(t.Context()))
	require.Equal(t, []string{"start the store", "stop the store"}, j.take(), "it may have been used")
}

func TestStoreTypesAreRefusedLikeStageTypes(t *testing.T) {
	again := pipeline.DefineStore("disk", disk.DefaultConfig, disk.New)
	bad := pipeline.DefineStore("My-Store", disk.DefaultConfig, disk.New)
	_, err := pipeline.NewRegistry(again, bad)
	require.ErrorContains(t, err, `store type "disk" is defined twice`)
	require.ErrorContains(t, err, `store type "My-Store": write lower snake_case, such as my_store`)
	require.Equal(t, "disk", again.Type())
}
