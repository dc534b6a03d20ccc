package fxmodule

import (
	"strconv"

	"github.com/eko/gocache/lib/v4/store"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/pipeline"
)

// Store hands the store.StoreInterface that the graph has under name to
// pipelines, whose configuration can name it: cache: {store: name}. It reaches as
// far as With does. The store is the application's to start and to stop.
//
//	fx.Provide(fx.Annotate(newAnswers, fx.As(new(store.StoreInterface)), fx.ResultTags(`name:"answers"`))),
//	fxmodule.Store("answers"),
func Store(name string) fx.Option {
	return fx.Provide(fx.Annotate(
		func(s store.StoreInterface) pipeline.Option { return pipeline.WithStore(name, s) },
		fx.ParamTags("name:"+strconv.Quote(name)),
		fx.ResultTags(`group:"headgate.options"`),
	), fx.Private)
}
