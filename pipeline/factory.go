package pipeline

import (
	"context"
	"fmt"
	"reflect"

	"github.com/eko/gocache/lib/v4/store"
	"go.uber.org/zap"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// Stage is a stage as its factory has built it. Only Wrap is required.
type Stage[C any] struct {
	// Wrap puts the stage in front of the next one. Each reload calls it again,
	// so state that shall outlive one is not made here.
	Wrap middleware.Middleware
	// Start begins what the stage does beside requests, Stop ends it and waits
	// for its goroutines. Stop is called once, and only
	// after Start succeeded, where there is one.
	Start, Stop func(context.Context) error
	// Ready waits until the stage has what it needs for requests, and says so, or
	// why not. Nil: it always has.
	Ready func(context.Context) error
	// Update changes the settings in use; c is valid. Without it, a reload with
	// other settings builds the stage anew.
	Update func(c C)
	// Keeps tells whether Update can make the step from old to c; if not, a reload
	// builds the stage anew. Nil: it always can.
	Keeps func(old, c C) bool
	// Report gives a snapshot of the stage's statistics, a value that encodes to JSON.
	Report func() any
	// Stale is where the pipeline's fallback takes old answers from; nil if the
	// stage stores none.
	Stale middleware.StaleSource
	// Purger forgets answers that the stage keeps; nil if it keeps none.
	Purger Purger
	// Attempts is the most requests that the stage can make of one; 0 means 1.
	// In the worst case of a pipeline they multiply, but for those of retry stages,
	// which share the attempts of a call.
	Attempts func(c C) int
}

// Env is what a stage can use of its pipeline.
type Env struct {
	// Pipeline is the pipeline's name, ID the stage's id in it.
	Pipeline, ID string
	// Logger is the application's; never nil. Stages report events instead, where they can.
	Logger *zap.Logger
	// Observer is told of the stage's events; nil if nobody listens.
	Observer middleware.Observer
	// Warmer opens connections; nil if the base can't.
	Warmer middleware.Warmer
	// Store gives a store by its name: as WithStore has set it, or as the configuration describes it. It is asked while
	// the stage is built.
	Store func(name string) (store.StoreInterface, error)
	// Stale gives old answers, from the first stage in the order that has some; nil
	// if the pipeline has no cache stage. It has nothing before the pipeline is built.
	Stale middleware.StaleSource
	// Answers are what a fallback can name as func, as WithAnswer has set them.
	Answers map[string]fallback.Answer
}

// Reporter is the reporter that a stage's events go to.
func (e Env) Reporter() middleware.Reporter {
	return middleware.Reporter{Stage: e.ID, Observer: e.Observer}
}

// Factory makes stages, or stores, of one type. Define and DefineStore make one.
type Factory struct {
	typ      string
	defaults func() any
	settings func(at *conf.Node, layers []layer) (any, []error)
	build    func(cfg any, env Env) (*instance, error)                 // of a stage; else nil
	open     func(cfg any, env storeEnv) (store.StoreInterface, error) // of a store; else nil
}

// Type is the name that configuration knows the stages or stores by.
func (f Factory) Type() string { return f.typ }

// layer is one source of settings: a part of a file, or a value of Go.
type layer struct {
	node  *conf.Node
	value any
}

// Define makes the factory of a stage type. typ is its name in configuration,
// lower snake_case. defaults gives the settings that hold where a configuration
// says nothing; C's fields carry yaml tags. build makes a stage of valid
// settings; it does no I/O and starts no goroutine.
func Define[C interface{ Validate() error }](typ string, defaults func() C, build func(C, Env) (Stage[C], error)) Factory {
	return Factory{
		typ:      typ,
		defaults: func() any { return defaults() },
		settings: func(at *conf.Node, layers []layer) (any, []error) {
			return settle(typ, defaults(), at, layers)
		},
		build: func(cfg any, env Env) (*instance, error) {
			s, err := build(cfg.(C), env)
			if err != nil {
				return nil, err
			}
			if s.Wrap == nil {
				return nil, fmt.Errorf("the factory of %q gave no Wrap", typ)
			}
			i := &instance{
				id: env.ID, typ: typ, wrap: s.Wrap, start: s.Start, stop: s.Stop,
				report: s.Report, ready: s.Ready, stale: s.Stale, purger: s.Purger, running: s.Start == nil,
			}
			if s.Update != nil {
				i.update = func(cfg any) { s.Update(cfg.(C)) }
			}
			if s.Keeps != nil {
				i.keeps = func(old, cfg any) bool { return s.Keeps(old.(C), cfg.(C)) }
			}
			if s.Attempts != nil {
				i.attempts = func(cfg any) int { return max(1, s.Attempts(cfg.(C))) }
			}
			return i, nil
		},
	}
}

// settle lays the layers over the defaults c and validates what comes out. at
// is the place of what has none in a file.
func settle[C interface{ Validate() error }](what string, c C, at *conf.Node, layers []layer) (C, []error) {
	var n *conf.Node
	var errs []error
	for _, l := range layers {
		switch v := l.value.(type) {
		case nil:
			n = conf.Merge(n, l.node)
			continue
		case C:
			c = v
		case *C:
			if v != nil {
				c = *v
			}
		default:
			errs = append(errs, at.Errorf("a %T can't be the settings of %s; it takes a %T or a map[string]any", v, what, c))
		}
		if n = nil; reflect.ValueOf(&c).Elem().IsZero() && c.Validate() != nil {
			return c, append(errs, at.Errorf("the settings are empty; begin with DefaultConfig"))
		}
	}
	if n == nil {
		n = at
	} else {
		errs = append(errs, conf.Decode(n, &c)...)
	}
	return c, append(errs, locate(n, at, layers, c.Validate())...)
}

// locate gives what Validate has found its place in n, the layers on top of each
// other. What a preset says is right by itself: where it is not any more, the
// mistake is in the last layer, or in at if that has no text.
func locate(n, at *conf.Node, layers []layer, found error) []error {
	errs := conf.Locate(n, found)
	if last := len(layers) - 1; last >= 0 && layers[last].node != nil {
		at = layers[last].node
	}
	for i, err := range errs {
		if e, ok := err.(*conf.Error); ok && e.File == presetsFile {
			errs[i] = conf.Locate(at, e.Unwrap())[0]
		}
	}
	return errs
}
