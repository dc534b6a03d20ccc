package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// storeEnv is what a store can use of its pipeline.
type storeEnv struct {
	reporter middleware.Reporter
	store    func(name string) (store.StoreInterface, error)
}

// DefineStore makes the factory of a store type. typ is its name in
// configuration, lower snake_case; defaults gives the settings that hold where a
// configuration says nothing; open makes a store of valid settings, and does no
// I/O. A store with a method Start(context.Context) error is started with the
// pipeline, before its stages, and one with Stop(context.Context) error is
// stopped with it, after them; Stop is called whether or not Start was. What one with
// a method Report() any says is part of [Pipeline.Report].
//
//	pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open)
func DefineStore[C interface{ Validate() error }, S store.StoreInterface](typ string, defaults func() C, open func(C) (S, error)) Factory {
	return defineStore(typ, defaults, func(c C, _ storeEnv) (S, error) { return open(c) })
}

func defineStore[C interface{ Validate() error }, S store.StoreInterface](typ string, defaults func() C, open func(C, storeEnv) (S, error)) Factory {
	return Factory{
		typ:      typ,
		defaults: func() any { return defaults() },
		settings: func(at *conf.Node, layers []layer) (any, []error) { return settle(typ, defaults(), at, layers) },
		open: func(cfg any, env storeEnv) (store.StoreInterface, error) {
			s, err := open(cfg.(C), env)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
	}
}

// builtinStores are the factories of the stores that link nothing.
func builtinStores() []Factory {
	return []Factory{
		DefineStore(memory.Type, memory.DefaultConfig, memory.New),
		DefineStore(disk.Type, disk.DefaultConfig, disk.New),
		defineStore(tiered.Type, tiered.DefaultConfig, openTiered),
	}
}

func openTiered(c tiered.Config, env storeEnv) (*tiered.Store, error) {
	tiers := map[string]store.StoreInterface{}
	for _, name := range c.Tiers {
		s, err := env.store(name)
		if err != nil {
			return nil, &middleware.ConfigError{Name: "tiers", Problem: err.Error()}
		}
		tiers[name] = s
	}
	return tiered.New(c, tiers, tiered.WithReporter(env.reporter))
}

// usedBy are the stores that a store of the settings cfg uses.
func usedBy(cfg any) []string {
	if c, ok := cfg.(tiered.Config); ok {
		return c.Tiers
	}
	return nil
}

// elsewhere says how to get the store types that are no built-ins, because they
// link a client.
var elsewhere = map[string]string{
	"redis": `the core does not link it: import "github.com/headgate-go/headgate/cachestore/redis" and load with the registry of ` +
		`pipeline.NewRegistry(pipeline.DefineStore(redis.Type, redis.DefaultServerConfig, redis.Open))`,
}

// checkStoreID tells whether id names a known type of stores, alone or as type/name.
func (r *Registry) checkStoreID(id string, at *conf.Node) error {
	typ, name, named := strings.Cut(id, "/")
	if _, ok := r.stores[typ]; !ok {
		return at.KeyErrorf("%q: %s", id, r.unknownStore(typ))
	}
	return checkName(typ, name, named, at)
}

func (r *Registry) unknownStore(typ string) string {
	if hint := elsewhere[typ]; hint != "" {
		return hint
	}
	return conf.UnknownKey("store type", typ, slices.Sorted(maps.Keys(r.stores)))
}

// storeSettings decodes and validates the settings of the stores.
func (r *Registry) storeSettings(p *plan) (map[string]any, []error) {
	all := map[string]any{}
	var errs []error
	for id, layers := range p.stores {
		at := &conf.Node{Kind: conf.Map, Path: joined(p.at.Path, "stores."+id), Pos: p.at.Pos, KeyPos: p.at.KeyPos}
		c, more := r.stores[typeOf(id)].settings(at, layers)
		errs = append(errs, more...)
		all[id] = c
	}
	for id := range all {
		if circle := circleOf(id, all); circle != nil {
			at := origin(p.stores[id][len(p.stores[id])-1], p.at, "stores."+id)
			errs = append(errs, at.KeyErrorf("the store is a tier of its own: %s", strings.Join(circle, " -> ")))
		}
	}
	if len(all) == 0 {
		all = nil
	}
	return all, errs
}

// circleOf is the way from a store to itself through those that it uses.
func circleOf(id string, all map[string]any) []string {
	seen := map[string]bool{}
	var follow func(way []string) []string
	follow = func(way []string) []string {
		for _, next := range usedBy(all[way[len(way)-1]]) {
			if next == id {
				return append(way, next)
			}
			if !seen[next] {
				seen[next] = true
				if circle := follow(append(slices.Clone(way), next)); circle != nil {
					return circle
				}
			}
		}
		return nil
	}
	return follow([]string{id})
}

// unusedStores warns of settings that nobody asked for.
func unusedStores(cfg Config, opened []*openStore) []Warning {
	var all []Warning
	for _, id := range slices.Sorted(maps.Keys(cfg.Stores)) {
		if !slices.ContainsFunc(opened, func(s *openStore) bool { return s.id == id }) {
			all = append(all, Warning{Path: "stores." + id, Message: fmt.Sprintf("no stage uses this store; write for example cache: {store: %s}", id)})
		}
	}
	return all
}
