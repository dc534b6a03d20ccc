package pipeline

import (
	"context"
	"errors"
	"reflect"
	"slices"
)

// Reload changes the configuration. What is wrong with cfg, or fails to start,
// changes nothing. Stages that stay keep their state (open breakers, permits,
// tokens) and take the new settings; calls that are under way finish in the
// old order. If stages that are gone have to be stopped, Reload waits for the
// last of those calls; when ctx ends before, it stops them all the same and
// returns the context's error, with the new configuration in use. The settings
// of the base transport can't be reloaded: each that differs is a Warning.
func (p *Pipeline) Reload(ctx context.Context, cfg Config) error {
	cfg, warnings, err := p.registry.complete(p.name, cfg)
	if err != nil {
		return err
	}
	old, gone, closing, err := p.swap(ctx, cfg, warnings)
	if err != nil {
		return p.wrap(err)
	}
	if len(gone) == 0 && len(closing) == 0 {
		return nil
	}
	err = drain(ctx, old)
	return p.wrap(errors.Join(err, stopAll(ctx, gone), stopStores(ctx, closing)))
}

// swap puts a new generation in the place of the current one. It returns the
// generations that may still have calls, and the stages and stores to stop after them.
func (p *Pipeline) swap(ctx context.Context, cfg Config, warnings []Warning) (old []*generation, gone []*instance, closing []*openStore, err error) {
	if err := p.turn.take(ctx); err != nil {
		return nil, nil, nil, err
	}
	defer p.turn.leave()
	if p.stopped {
		return nil, nil, nil, ErrStopped
	}
	before := p.current.Load()
	if p.own != nil {
		warnings = append(warnings, notReloaded(before.cfg.Transport, cfg.Transport)...)
		cfg.Transport = before.cfg.Transport
	}
	stages, stores, err := p.build(cfg, before)
	if err != nil {
		return nil, nil, nil, err
	}
	if p.started {
		fresh := without(stores, before.stores)
		if err := startStores(ctx, fresh); err != nil {
			return nil, nil, nil, err
		}
		if err := p.startAll(ctx, stages); err != nil {
			return nil, nil, nil, errors.Join(err, stopAfter(ctx, fresh))
		}
	}
	for _, s := range stages {
		if s.update != nil && slices.Contains(before.stages, s) {
			s.update(cfg.Stages[s.id])
		}
	}
	p.stale.fill(stages)
	p.current.Store(p.generation(cfg, stages, stores, warnings))
	before.close()
	p.past = append(slices.DeleteFunc(p.past, (*generation).isDrained), before)
	gone = slices.DeleteFunc(slices.Clone(before.stages), func(s *instance) bool {
		return s.stop == nil || !s.isRunning() || slices.Contains(stages, s)
	})
	return slices.Clone(p.past), gone, without(before.stores, stores), nil
}

// keeps gives the stage id if it can go on with the settings cfg: they are the
// same, or it takes them in use. g may be nil.
func (g *generation) keeps(id string, cfg any) *instance {
	if g == nil {
		return nil
	}
	i := slices.IndexFunc(g.stages, func(s *instance) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	s, before := g.stages[i], g.cfg.Stages[id]
	if !reflect.DeepEqual(before, cfg) && (s.update == nil || s.keeps != nil && !s.keeps(before, cfg)) {
		return nil
	}
	return s
}
