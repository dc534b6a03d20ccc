package fxmodule

import (
	"errors"
	"maps"
	"slices"

	"go.uber.org/fx"

	"github.com/headgate-go/headgate/pipeline"
)

type choice struct {
	fx.In

	File pipeline.File
	// Names are those of all pipelines of the application, so that all that are
	// missing are told at once.
	Names []string `group:"headgate.names"`
}

// choose gives the configuration of one pipeline.
func (in choice) choose(name string) (pipeline.Config, error) {
	if cfg, ok := in.File.Pipelines[name]; ok {
		return own(cfg), nil
	}
	var errs []error
	for _, n := range slices.Sorted(slices.Values(in.Names)) {
		if _, err := in.File.Pipeline(n); err != nil {
			errs = append(errs, err)
		}
	}
	return pipeline.Config{}, readable(errors.Join(errs...))
}

// own is a copy that a decorator can change in place: nothing in it belongs to
// another pipeline of the file, and there are maps to write to.
func own(c pipeline.Config) pipeline.Config {
	c.Order, c.Off = slices.Clone(c.Order), slices.Clone(c.Off)
	insert, stages := map[string]pipeline.Position{}, map[string]any{}
	maps.Copy(insert, c.Insert)
	maps.Copy(stages, c.Stages)
	c.Insert, c.Stages = insert, stages
	if c.Transport != nil {
		settings := *c.Transport
		c.Transport = &settings
	}
	return c
}
