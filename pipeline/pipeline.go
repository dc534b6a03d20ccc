package pipeline

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/eko/gocache/lib/v4/store"
	"go.uber.org/zap"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline/internal/conf"
	"github.com/headgate-go/headgate/transport"
)

// ErrStopped says that the pipeline was stopped. It comes within a
// *middleware.RejectedError.
var ErrStopped = errors.New("the pipeline is stopped")

// Pipeline is a chain of stages over a base. It is an http.RoundTripper, safe
// for concurrent use.
type Pipeline struct {
	name     string
	registry *Registry
	opts     options
	base     http.RoundTripper
	own      *transport.Transport // the base, if it was made here
	current  atomic.Pointer[generation]
	stale    staleSlot

	observer middleware.Observer // of the stages; may be nil

	turn    turn // guards what follows
	started bool
	stopped bool
	running []*instance   // all that were started; some may have been stopped by a Reload
	past    []*generation // before the current one; calls may be under way in them
}

// New builds a pipeline. All that is wrong with cfg is reported at once; then
// nothing has been built. It does no I/O and starts no goroutine.
func (r *Registry) New(name string, cfg Config, opts ...Option) (*Pipeline, error) {
	p := &Pipeline{name: name, registry: r, turn: make(turn, 1)}
	p.opts.logger = zap.NewNop()
	p.opts.stores = map[string]store.StoreInterface{}
	p.opts.answers = map[string]fallback.Answer{}
	for _, o := range opts {
		o(&p.opts)
	}
	p.opts.logger = p.opts.logger.With(zap.String("pipeline", name))
	p.observer = p.opts.observer()
	cfg, warnings, err := r.complete(name, cfg)
	if err != nil {
		return nil, err
	}
	if p.base = p.opts.base; p.base == nil {
		if p.own, err = newTransport(cfg.Transport, p.observer); err != nil {
			return nil, err
		}
		p.base = p.own
	}
	stages, stores, err := p.build(cfg, nil)
	if err != nil {
		return nil, p.wrap(err)
	}
	p.stale.fill(stages)
	p.current.Store(p.generation(cfg, stages, stores, warnings))
	return p, nil
}

// complete gives the final order and settings of cfg.
func (r *Registry) complete(name string, cfg Config) (Config, []Warning, error) {
	s, errs := goSource(cfg)
	plan, more := r.resolve(name, s, nil)
	errs = append(errs, more...)
	cfg, more = r.settings(plan)
	errs = append(errs, more...)
	if err := conf.Collect(errs...); err != nil {
		return Config{}, nil, fmt.Errorf("pipeline %s: %w", name, err)
	}
	return cfg, plan.warnings, nil
}

// build makes the stages of cfg and the stores that they use, taking over those
// of old that can stay.
func (p *Pipeline) build(cfg Config, old *generation) ([]*instance, []*openStore, error) {
	var stages []*instance
	var errs []error
	stores := &opener{p: p, cfg: cfg, old: old}
	for _, id := range cfg.Order {
		// Also what stays is built, and thrown away: Update has nothing to refuse then.
		stores.begin()
		i, err := p.registry.factories[typeOf(id)].build(cfg.Stages[id], p.env(cfg, id, stores))
		if err != nil {
			if !strings.HasPrefix(err.Error(), id+": ") { // the built-in stages say it themselves
				err = fmt.Errorf("%s: %w", id, err)
			}
			errs = append(errs, err)
			continue
		}
		if kept := old.keeps(id, cfg.Stages[id]); kept != nil && !stores.changed() {
			i = kept
		}
		stages = append(stages, i)
	}
	return stages, stores.opened, errors.Join(errs...)
}

func (p *Pipeline) env(cfg Config, id string, stores *opener) Env {
	warmer, _ := p.base.(middleware.Warmer)
	var stale middleware.StaleSource
	if slices.ContainsFunc(cfg.Order, func(id string) bool { return typeOf(id) == "cache" }) {
		stale = &p.stale
	}
	return Env{
		Pipeline: p.name, ID: id,
		Logger:   p.opts.logger.With(zap.String("stage", id)),
		Observer: p.observer,
		Warmer:   warmer,
		Store:    stores.get,
		Answers:  p.opts.answers,
		Stale:    stale,
	}
}

// Name is the pipeline's name.
func (p *Pipeline) Name() string { return p.name }

// RoundTrip sends the request through the stages. After Stop it returns ErrStopped.
func (p *Pipeline) RoundTrip(req *http.Request) (*http.Response, error) {
	for {
		g := p.current.Load()
		if g.enter() {
			return g.chain.RoundTrip(req)
		}
		if p.current.Load() == g { // not reloaded: stopped
			middleware.CloseBody(req)
			return nil, &middleware.RejectedError{Stage: "pipeline", Key: p.name, Err: ErrStopped}
		}
	}
}

// CloseIdleConnections closes the base's idle connections.
func (p *Pipeline) CloseIdleConnections() { middleware.CloseIdleConnections(p.base) }

// Client is an http.Client over the pipeline. It has no Timeout of its own:
// http.Client.Timeout over a chain costs a goroutine for each request, and the
// timeout stage does the same.
func (p *Pipeline) Client() *http.Client { return &http.Client{Transport: p} }

// Warnings are what New or Reload found likely to hurt.
func (p *Pipeline) Warnings() []Warning { return p.current.Load().warnings }
