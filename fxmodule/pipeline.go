package fxmodule

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/headgate-go/headgate/pipeline"
)

// Pipeline builds the pipeline that the configuration has under this name, and
// gives it to the application as a *pipeline.Pipeline and an *http.Client, both
// with name:"<name>". It is built whether somebody takes it or not, starts with
// the application and stops with it: a stop drains until the application's
// fx.StopTimeout, and a start that fails leaves nothing behind.
//
// The application may give an http.RoundTripper with name:"<name>", to be the
// pipeline's base in the place of a transport of its own, and a *zap.Logger.
//
// The options concern this pipeline alone, and nothing has a name among them.
// Its pipeline.Config can be decorated there, the logger and its *http.Client
// too, and With hands in the rest:
//
//	fxmodule.Pipeline("deepseek",
//		fx.Decorate(func(c pipeline.Config) pipeline.Config {
//			c.Off = append(c.Off, "cache")
//			return c
//		}),
//		fxmodule.With(func(s *redisstore.Store) pipeline.Option { return pipeline.WithStore("redis", s) }),
//	)
func Pipeline(name string, opts ...fx.Option) fx.Option {
	if name == "" {
		return fx.Error(errors.New("fxmodule.Pipeline: the name is empty; give one that the configuration has"))
	}
	return fx.Module(name,
		fx.Supply(fx.Annotate(name, fx.ResultTags(`group:"headgate.names"`))),
		// In the module nothing has a name.
		fx.Provide(
			func(in choice) (pipeline.Config, error) { return in.choose(name) },
			fx.Annotate(newBase, fx.ParamTags("name:"+strconv.Quote(name)+` optional:"true"`)),
			func(in parts) (*pipeline.Pipeline, error) { return newPipeline(name, in) },
			(*pipeline.Pipeline).Client,
			fx.Private,
		),
		// Outside it, what it gives has the pipeline's.
		fx.Provide(
			fx.Annotated{Name: name, Target: func(p *pipeline.Pipeline) *pipeline.Pipeline { return p }},
			fx.Annotated{Name: name, Target: func(c *http.Client) *http.Client { return c }},
		),
		fx.Options(opts...),
		fx.Invoke(func(*pipeline.Pipeline) {}),
	)
}

// base is the http.RoundTripper of the pipeline's name; nil inside if there is
// none. It has a type of its own so that it needs no name within the module.
type base struct{ http.RoundTripper }

func newBase(rt http.RoundTripper) base { return base{rt} }

type parts struct {
	fx.In

	Lifecycle fx.Lifecycle
	Registry  *pipeline.Registry
	Config    pipeline.Config
	Base      base
	Logger    *zap.Logger       `optional:"true"`
	Options   []pipeline.Option `group:"headgate.options"`
}

func newPipeline(name string, in parts) (*pipeline.Pipeline, error) {
	opts := []pipeline.Option{pipeline.WithBase(in.Base.RoundTripper), pipeline.WithLogger(in.Logger)}
	opts = append(opts, slices.DeleteFunc(in.Options, func(o pipeline.Option) bool { return o == nil })...)
	p, err := in.Registry.New(name, in.Config, opts...)
	if err != nil {
		return nil, readable(err)
	}
	in.Lifecycle.Append(fx.StartStopHook(
		func(ctx context.Context) error {
			err := p.Start(ctx)
			if err != nil { // fx stops only what has started, but the base may have connections open
				err = errors.Join(err, p.Stop(ctx))
			}
			return err
		},
		p.Stop,
	))
	return p, nil
}
