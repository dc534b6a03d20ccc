package fxmodule

import "go.uber.org/fx"

// Stage adds a stage type to those that the configuration of all pipelines can
// name. The constructor returns the pipeline.Factory that pipeline.Define has
// made, alone or with an error, and takes what the type needs from the graph:
//
//	fxmodule.Stage(func(counter *Counter) pipeline.Factory {
//		return pipeline.Define("audit", audit.DefaultConfig, counter.Build)
//	})
//
// Where the stage stands, and whether it is used at all, the configuration says.
func Stage(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(`group:"headgate.stages"`)))
}
