package pipeline

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/headgate-go/headgate/middleware"
)

// generation is the chain of one configuration, with a count of the calls that
// are in it.
type generation struct {
	chain    http.RoundTripper
	cfg      Config // final: order and settings
	stages   []*instance
	stores   []*openStore // in the order in which they were opened: one comes after those that it uses
	warnings []Warning

	inFlight atomic.Int64
	closed   atomic.Bool
	once     sync.Once // closes drained
	drained  chan struct{}
}

// generation chains the stages, and has what is likely to hurt logged.
func (p *Pipeline) generation(cfg Config, stages []*instance, stores []*openStore, warnings []Warning) *generation {
	warnings = append(append(warnings, lint(stages, cfg)...), unusedStores(cfg, stores)...)
	g := &generation{cfg: cfg, stages: stages, stores: stores, warnings: warnings, drained: make(chan struct{})}
	for _, w := range g.warnings {
		lines(p.opts.logger).Warn("configuration", zap.Stringer("warning", w))
	}
	chain := []middleware.Middleware{g.count}
	for _, s := range stages {
		chain = append(chain, skippable(s.id, s.wrap))
	}
	g.chain = middleware.Chain(p.base, chain...)
	return g
}

// skippable leaves a stage out of the calls that ask for it with middleware.Skip.
func skippable(id string, wrap middleware.Middleware) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		stage := wrap(next)
		return middleware.Forward(stage, func(req *http.Request) (*http.Response, error) {
			if ex := middleware.FromContext(req.Context()); ex != nil && ex.Skipped(id) {
				return next.RoundTrip(req)
			}
			return stage.RoundTrip(req)
		})
	}
}

// enter counts a call in; false after close.
func (g *generation) enter() bool {
	g.inFlight.Add(1)
	if g.closed.Load() {
		g.leave()
		return false
	}
	return true
}

func (g *generation) leave() {
	if g.inFlight.Add(-1) == 0 && g.closed.Load() {
		g.once.Do(func() { close(g.drained) })
	}
}

// count is the outermost stage: a call is over when its body is.
func (g *generation) count(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(g, 0)
		return next.RoundTrip(inner)
	})
}

// Settle counts a call out.
func (g *generation) Settle(uint64, middleware.End) { g.leave() }

// close lets no further call in. drained is closed when the last one is over.
func (g *generation) close() {
	g.closed.Store(true)
	g.inFlight.Add(1)
	g.leave()
}

// wait waits for the last call after close; false if ctx ends before.
func (g *generation) wait(ctx context.Context) bool {
	select {
	case <-g.drained:
		return true
	case <-ctx.Done():
		return g.isDrained()
	}
}

// isDrained tells whether the last call after close is over.
func (g *generation) isDrained() bool {
	select {
	case <-g.drained:
		return true
	default:
		return false
	}
}
