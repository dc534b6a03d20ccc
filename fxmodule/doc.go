// Package fxmodule is the face of package pipeline in an fx application.
//
//	fx.New(
//		fxmodule.Module,
//		fxmodule.Config(os.DirFS("config"), "http.yaml", "http.production.yaml"),
//		fxmodule.Pipeline("deepseek"),
//		fxmodule.Pipeline("search"),
//		fx.Provide(fx.Annotate(newAssistant, fx.ParamTags(`name:"deepseek"`))), // takes an *http.Client
//	)
//
// Each pipeline is known to the application by its name: [Pipeline] gives a
// *pipeline.Pipeline and an *http.Client under name:"deepseek", and takes an
// http.RoundTripper of that name as its base, if there is one. It starts with
// the application and drains when the application stops.
//
// Each pipeline is also an fx.Module. What stands among its options concerns
// this pipeline alone, and nothing has a name there: fx.Decorate changes its
// pipeline.Config, its *http.Client, or the *zap.Logger if the application has
// one, and [With] hands in what pipeline.New takes as options.
//
// The configuration is a pipeline.File in the graph. [Config] reads it from
// files; fx.Supply or fx.Provide give one that was made in Go or decoded from
// a map. Stage types of one's own come from [Stage]. In which order stages
// stand, the configuration says alone.
//
// All that is wrong with the configuration is in the Err of the application,
// with file, line, column and path; then nothing was started.
package fxmodule
