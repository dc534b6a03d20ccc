package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
	"github.com/headgate-go/headgate/transport"
)

// Config is what a pipeline consists of.
type Config struct {
	// Extends names a preset, or, in a file, another of its pipelines: its order
	// and settings hold where this Config has none. Empty: none.
	Extends string
	// Order is the stages' ids, outermost first. Nil takes the order of what is
	// extended. Without any stage the pipeline is its base.
	Order []string
	// Insert puts stages into the order.
	Insert map[string]Position
	// Off takes stages out of the order, by id or by type.
	Off []string
	// Stages are the settings, by id: a stage's own Config ("retry.Config"),
	// or a map[string]any with the keys of the YAML form. What a map does not
	// mention keeps the value of what is extended, or the stage's default; a
	// Config is taken as it is.
	Stages map[string]any
	// Stores are the settings of the stores that stages and other stores can
	// name, by id: a type ("disk") or type/name. As in Stages, each is a Config
	// ("disk.Config") or a map[string]any. The store that cache has in its own
	// memory is none of them.
	Stores map[string]any
	// Transport is the settings of the base transport; nil means
	// transport.DefaultConfig. WithBase replaces the transport altogether.
	Transport *transport.Config
}

// Position is a place in an order, next to another stage. One of the two is set.
type Position struct {
	Before string `yaml:"before"`
	After  string `yaml:"after"`
}

// File is what Load has read: complete pipelines, whose stages have their
// own Config type. Order is final: Extends, Insert and Off have been applied.
type File struct {
	Pipelines map[string]Config
	// Warnings are what is likely to be a mistake.
	Warnings []Warning
}

// Pipeline gives one of the pipelines; a name that the file does not have is an
// error that tells which there are.
func (f File) Pipeline(name string) (Config, error) {
	cfg, ok := f.Pipelines[name]
	if !ok {
		return Config{}, fmt.Errorf("pipeline %q: %s", name, conf.UnknownKey("pipeline", name, slices.Sorted(maps.Keys(f.Pipelines))))
	}
	return cfg, nil
}

// Warning is something in a configuration that is likely to hurt, but might be meant.
type Warning struct {
	// Path is where it is: "pipelines.deepseek.stages.hedge"; for an order, "order".
	Path string
	// Message says what is likely to hurt, and what would be better.
	Message string
}

// String reads "order: semaphore stands outside retry: ...".
func (w Warning) String() string { return w.Path + ": " + w.Message }

// ConfigError is one thing that is wrong in a configuration, with its place.
// Load, Decode and New return all of them at once: errors.As finds the first,
// and the error's Unwrap() []error gives the list.
type ConfigError = conf.Error
