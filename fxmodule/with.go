package fxmodule

import "go.uber.org/fx"

// With hands an option to pipelines. The constructor returns a pipeline.Option,
// alone or with an error, and takes from the graph what that is about; a nil
// Option is left out.
//
//	fxmodule.With(func(m *Metrics) pipeline.Option { return pipeline.WithObserver(m) })
//
// With reaches as far as fx.Decorate does: among the options of Pipeline it
// concerns that pipeline, in an fx.Module the pipelines of the module, among
// the options of the application all pipelines, each of which then gets the
// same Option.
func With(constructor any) fx.Option {
	return fx.Provide(fx.Annotate(constructor, fx.ResultTags(`group:"headgate.options"`)), fx.Private)
}
