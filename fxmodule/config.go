package fxmodule

import (
	"fmt"
	"io/fs"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/headgate-go/headgate/pipeline"
)

// Config reads the configuration of all pipelines from a file of fsys and the
// overlays over it, in their order. Which overlays there are chooses the
// environment: none for development, "http.production.yaml" for production.
// What is likely to be a mistake in it is logged as a warning.
//
// A configuration that was made in Go needs no Config but
//
//	fx.Supply(pipeline.File{Pipelines: map[string]pipeline.Config{"deepseek": {Extends: "llm"}}})
//
// and one that viper, koanf or the like have read, as a map,
//
//	fx.Provide(func(r *pipeline.Registry) (pipeline.File, error) { return r.Decode(values) })
func Config(fsys fs.FS, base string, overlays ...string) fx.Option {
	return fx.Provide(func(in loading) (pipeline.File, error) {
		return in.load(fsys, base, overlays)
	})
}

type loading struct {
	fx.In

	Registry *pipeline.Registry
	Logger   *zap.Logger `optional:"true"`
}

func (in loading) load(fsys fs.FS, base string, overlays []string) (pipeline.File, error) {
	file, err := in.Registry.Load(fsys, base, overlays...)
	if err != nil {
		return pipeline.File{}, readable(err)
	}
	if in.Logger != nil {
		for _, w := range file.Warnings {
			in.Logger.Warn("configuration", zap.Stringer("warning", w))
		}
	}
	return file, nil
}

// readable has each error begin a line: what fx puts in front is long.
func readable(err error) error { return fmt.Errorf("configuration:\n%w", err) }
