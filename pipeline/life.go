package pipeline

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Start begins what the stages do beside requests, such as warming connections,
// in the order of the pipeline. If one fails, those that were started are
// stopped again. Starting twice does nothing.
func (p *Pipeline) Start(ctx context.Context) error {
	p.life.Lock()
	defer p.life.Unlock()
	switch {
	case p.stopped:
		return fmt.Errorf("pipeline %s: %w", p.name, ErrStopped)
	case p.started:
		return nil
	}
	if err := p.startAll(ctx, p.current.Load().stages); err != nil {
		return err
	}
	p.started = true
	return nil
}

// startAll starts those that do not run, or none.
func (p *Pipeline) startAll(ctx context.Context, stages []*instance) error {
	var begun []*instance
	for _, s := range stages {
		if s.started {
			continue
		}
		if s.start != nil {
			if err := s.start(ctx); err != nil {
				return errors.Join(fmt.Errorf("pipeline %s: start %s: %w", p.name, s.id, err), p.stopAll(ctx, begun))
			}
		}
		s.started = true
		begun = append(begun, s)
	}
	return nil
}

// stopAll stops those that run, the last one first.
func (p *Pipeline) stopAll(ctx context.Context, stages []*instance) error {
	var errs []error
	for _, s := range slices.Backward(stages) {
		if s.started && s.stop != nil {
			if err := s.stop(ctx); err != nil {
				errs = append(errs, fmt.Errorf("pipeline %s: stop %s: %w", p.name, s.id, err))
			}
		}
		s.started = false
	}
	return errors.Join(errs...)
}

// Stop turns new requests away, waits for those under way until ctx ends, then
// stops the stages and closes the base if it is the pipeline's own. Stopping
// twice does nothing.
func (p *Pipeline) Stop(ctx context.Context) error {
	p.life.Lock()
	defer p.life.Unlock()
	if p.stopped {
		return nil
	}
	p.stopped = true
	g := p.current.Load()
	g.close()
	var errs []error
	if err := g.wait(ctx); err != nil {
		errs = append(errs, fmt.Errorf("pipeline %s: %d requests are still under way: %w", p.name, g.inFlight.Load(), err))
	}
	errs = append(errs, p.stopAll(ctx, g.stages))
	if p.own != nil {
		errs = append(errs, p.own.Stop(ctx))
	} else {
		p.CloseIdleConnections()
	}
	return errors.Join(errs...)
}

// Reload changes the configuration. What is wrong with cfg, or fails to start,
// changes nothing. Stages that stay keep their state (open breakers, permits,
// tokens) and take the new settings; calls that are under way finish in the
// old order. Stages that are gone are stopped when the last of those calls is
// over, which Reload waits for until ctx ends. The base transport's settings
// can't be reloaded.
func (p *Pipeline) Reload(ctx context.Context, cfg Config) error {
	cfg, warnings, err := p.registry.complete(p.name, cfg)
	if err != nil {
		return err
	}
	p.life.Lock()
	defer p.life.Unlock()
	if p.stopped {
		return fmt.Errorf("pipeline %s: %w", p.name, ErrStopped)
	}
	old := p.current.Load()
	stages, err := p.build(cfg, old)
	if err != nil {
		return err
	}
	if p.started {
		if err := p.startAll(ctx, stages); err != nil {
			return err
		}
	}
	for _, s := range stages {
		if slices.Contains(old.stages, s) && s.update != nil {
			s.update(cfg.Stages[s.id])
		}
	}
	g := newGeneration(p.base, cfg, stages, warnings)
	p.logWarnings(g)
	p.current.Store(g)
	old.close()
	return p.retire(ctx, old, stages)
}

// retire stops the stages of old that are not among those that stay.
func (p *Pipeline) retire(ctx context.Context, old *generation, stay []*instance) error {
	gone := slices.DeleteFunc(slices.Clone(old.stages), func(s *instance) bool { return slices.Contains(stay, s) })
	if !slices.ContainsFunc(gone, func(s *instance) bool { return s.started && s.stop != nil }) {
		return nil
	}
	err := old.wait(ctx)
	return errors.Join(err, p.stopAll(ctx, gone))
}

// keeps gives the stage id if it can go on with the settings cfg: it takes
// updates, or they are the same. g may be nil.
func (g *generation) keeps(id string, cfg any) *instance {
	if g == nil {
		return nil
	}
	i := slices.IndexFunc(g.stages, func(s *instance) bool { return s.id == id })
	if i < 0 || g.stages[i].update == nil && !reflect.DeepEqual(g.cfg.Stages[id], cfg) {
		return nil
	}
	return g.stages[i]
}
