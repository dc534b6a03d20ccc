package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// openStore is a store that the configuration describes.
type openStore struct {
	id    string
	cfg   any
	store store.StoreInterface
}

// opener gives the stages of one build their stores, each opened once, or those
// of the generation before where nothing has changed.
type opener struct {
	p      *Pipeline
	cfg    Config
	old    *generation // may be nil
	opened []*openStore
	fresh  map[string]bool // by id: opened by this build
	stale  bool            // the stage that is being built has asked for a fresh one
}

// begin is called before a stage is built, changed after it: it tells whether
// the stage uses a store that the one before it did not.
func (o *opener) begin()        { o.stale = false }
func (o *opener) changed() bool { return o.stale }

func (o *opener) get(name string) (store.StoreInterface, error) {
	if s := o.p.opts.stores[name]; s != nil {
		return s, nil
	}
	s, err := o.open(name)
	if err != nil {
		return nil, err
	}
	o.stale = o.stale || o.fresh[name]
	return s.store, nil
}

func (o *opener) open(name string) (*openStore, error) {
	if i := indexStore(o.opened, name); i >= 0 {
		return o.opened[i], nil
	}
	cfg, err := o.settings(name)
	if err != nil {
		return nil, err
	}
	// What it uses comes first, and is the first to tell what is wrong.
	kept := true
	for _, used := range usedBy(cfg) {
		if _, err := o.get(used); err != nil {
			return nil, fmt.Errorf("%s: tiers: %w", name, err)
		}
		kept = kept && !o.fresh[used]
	}
	if kept && o.old != nil {
		if i := indexStore(o.old.stores, name); i >= 0 && reflect.DeepEqual(o.old.stores[i].cfg, cfg) {
			o.opened = append(o.opened, o.old.stores[i])
			return o.old.stores[i], nil
		}
	}
	reporter := middleware.Reporter{Stage: name, Observer: o.p.observer}
	in, err := o.p.registry.stores[typeOf(name)].open(cfg, storeEnv{reporter: reporter, store: o.get})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &openStore{id: name, cfg: cfg, store: in}
	o.opened = append(o.opened, s)
	if o.fresh == nil {
		o.fresh = map[string]bool{}
	}
	o.fresh[name] = true
	return s, nil
}

// settings are those of the configuration, or, of a type that needs none, its defaults.
func (o *opener) settings(name string) (any, error) {
	if cfg, ok := o.cfg.Stores[name]; ok {
		return cfg, nil
	}
	f, ok := o.p.registry.stores[typeOf(name)]
	if !ok {
		if hint := elsewhere[typeOf(name)]; hint != "" {
			return nil, fmt.Errorf("%q: %s; or hand it in with pipeline.WithStore", name, hint)
		}
		known := slices.Concat(slices.Collect(maps.Keys(o.cfg.Stores)), slices.Collect(maps.Keys(o.p.opts.stores)), []string{"memory"})
		slices.Sort(known)
		return nil, fmt.Errorf("%q: %s; describe it under stores, or hand it in with pipeline.WithStore",
			name, conf.UnknownKey("store", name, slices.Compact(known)))
	}
	cfg := f.defaults()
	if err := cfg.(interface{ Validate() error }).Validate(); err != nil {
		return nil, fmt.Errorf("%q: %w; it needs settings under stores, or hand it in with pipeline.WithStore", name, err)
	}
	return cfg, nil
}

func indexStore(all []*openStore, id string) int {
	return slices.IndexFunc(all, func(s *openStore) bool { return s.id == id })
}

// without are the stores of all that are not among others.
func without(all, others []*openStore) []*openStore {
	return slices.DeleteFunc(slices.Clone(all), func(s *openStore) bool { return slices.Contains(others, s) })
}

// startStores starts those that can be started, or none.
func startStores(ctx context.Context, all []*openStore) error {
	for i, s := range all {
		if in, ok := s.store.(interface{ Start(context.Context) error }); ok {
			if err := in.Start(ctx); err != nil {
				return errors.Join(fmt.Errorf("start the store %s: %w", s.id, err), stopAfter(ctx, all[:i]))
			}
		}
	}
	return nil
}

// stopAfter stops what was begun when a start has failed.
func stopAfter(ctx context.Context, all []*openStore) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	return stopStores(ctx, all)
}

// stopStores stops those that can be stopped, the last one first.
func stopStores(ctx context.Context, all []*openStore) error {
	var errs []error
	for _, s := range slices.Backward(all) {
		if in, ok := s.store.(interface{ Stop(context.Context) error }); ok {
			if err := in.Stop(ctx); err != nil {
				errs = append(errs, fmt.Errorf("stop the store %s: %w", s.id, err))
			}
		}
	}
	return errors.Join(errs...)
}
