package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// rollback bounds the stopping of what was begun when a start fails: its
// context may have ended, and is no use for that.
const rollback = 10 * time.Second

// turn is a mutex that can be waited for with a context. Start, Stop and
// Reload come one after the other.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("another Start, Stop or Reload is under way: %w", context.Cause(ctx))
	}
}

func (t turn) leave() { <-t }

// Start begins what the stages do beside requests, such as warming connections,
// in the order of the pipeline. If one fails, those that were started are
// stopped again. Starting twice does nothing.
func (p *Pipeline) Start(ctx context.Context) error {
	if err := p.turn.take(ctx); err != nil {
		return p.wrap(err)
	}
	defer p.turn.leave()
	switch {
	case p.stopped:
		return p.wrap(ErrStopped)
	case p.started:
		return nil
	}
	g := p.current.Load()
	if err := startStores(ctx, g.stores); err != nil {
		return p.wrap(err)
	}
	if err := p.startAll(ctx, g.stages); err != nil {
		return p.wrap(err)
	}
	p.started = true
	return nil
}

// Ready waits until every stage has what it needs for requests, such as warm
// connections, and returns nil then; or why one has not, or that ctx has ended. After
// Stop it is ErrStopped. It is what a readiness probe asks.
func (p *Pipeline) Ready(ctx context.Context) error {
	g := p.current.Load()
	if g.closed.Load() && p.current.Load() == g { // not reloaded: stopped
		return p.wrap(ErrStopped)
	}
	var errs []error
	for _, s := range g.stages {
		if s.ready != nil {
			errs = append(errs, s.ready(ctx))
		}
	}
	return p.wrap(errors.Join(errs...))
}

// startAll starts those that do not run, or none.
func (p *Pipeline) startAll(ctx context.Context, stages []*instance) error {
	var begun []*instance
	for _, s := range stages {
		ok, err := s.begin(ctx)
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
			defer cancel()
			return errors.Join(err, stopAll(ctx, begun))
		}
		if ok {
			begun = append(begun, s)
		}
	}
	p.running = append(slices.DeleteFunc(p.running, func(s *instance) bool { return !s.isRunning() }), begun...)
	return nil
}

// stopAll stops those that run, the last one first.
func stopAll(ctx context.Context, stages []*instance) error {
	var errs []error
	for _, s := range slices.Backward(stages) {
		errs = append(errs, s.end(ctx))
	}
	return errors.Join(errs...)
}

// Stop turns new requests away, waits for those under way until ctx ends, then
// stops the stages, the last started first, and the stores that the pipeline has opened, and closes the base if it is the
// pipeline's own. Of a base that was handed in it closes the idle connections.
// Stopping twice does nothing.
func (p *Pipeline) Stop(ctx context.Context) error {
	if err := p.turn.take(ctx); err != nil {
		return p.wrap(err)
	}
	defer p.turn.leave()
	if p.stopped {
		return nil
	}
	p.stopped = true
	g := p.current.Load()
	g.close()
	// A stage without a Start runs from the beginning, and is not among those that were started.
	running := slices.DeleteFunc(slices.Clone(g.stages), func(s *instance) bool { return slices.Contains(p.running, s) })
	errs := []error{drain(ctx, append(p.past, g)), stopAll(ctx, append(running, p.running...)), stopStores(ctx, g.stores)}
	if p.own != nil {
		errs = append(errs, p.own.Stop(ctx))
	} else {
		p.CloseIdleConnections()
	}
	return p.wrap(errors.Join(errs...))
}

// drain waits for all calls in the generations, until ctx ends.
func drain(ctx context.Context, all []*generation) error {
	var left int64
	for _, g := range all {
		if !g.wait(ctx) {
			left += g.inFlight.Load()
		}
	}
	if left > 0 {
		return fmt.Errorf("%d requests are still under way: %w", left, context.Cause(ctx))
	}
	return nil
}

// wrap puts the pipeline's name before err.
func (p *Pipeline) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("pipeline %s: %w", p.name, err)
}
