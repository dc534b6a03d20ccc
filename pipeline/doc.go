// Package pipeline assembles stages into one http.RoundTripper, from a
// configuration. It is the only package that knows every built-in stage.
//
//	file, err := pipeline.Load(os.DirFS("config"), "http.yaml", "http.production.yaml")
//	...
//	cfg, err := file.Pipeline("deepseek")
//	...
//	p, err := pipeline.New("deepseek", cfg, pipeline.WithLogger(logger))
//	...
//	err = p.Start(ctx)
//	defer p.Stop(ctx)
//	client := p.Client()
//
// # Configuration
//
// A pipeline is an order of stages, outermost first, over a map of their
// settings. A stage is named by its type, or by type and name where a type is
// used twice ("timeout/total"); one without settings takes its defaults. The
// same Config can be written in YAML, built in Go, or decoded from a map.
//
// A pipeline can extend a preset ("standard", "llm") or another pipeline of
// its file, and an overlay file, for an environment, holds only what differs:
// maps merge, lists replace, null restores the default. insert and off change
// an order without repeating it. ${env:NAME} and ${env:NAME:-default} are
// replaced in values.
//
// All that is wrong is reported at once, with file, line, column and path,
// and nothing is built. What is likely to hurt, but might be meant, is a
// Warning.
//
// # Life
//
// New does no I/O and starts no goroutine; a pipeline serves requests without
// Start. Start begins what stages do beside requests (warm-up). Stop turns
// new requests away, lets those under way finish, and ends what Start began.
// Reload swaps the configuration and keeps the state of the stages that stay.
package pipeline
