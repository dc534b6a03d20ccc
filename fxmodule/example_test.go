package fxmodule_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing/fstest"

	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// Assistant is a service that knows nothing of Headgate.
type Assistant struct {
	client *http.Client
	url    string
}

func (a *Assistant) Ask() error {
	resp, err := a.client.Get(a.url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Println("the assistant hears", resp.Status)
	return nil
}

// An application with one pipeline. The upstream is busy at first.
func Example() {
	upstream, err := middlewaretest.Start(middlewaretest.Config{Script: middlewaretest.Sequence(
		middlewaretest.Text(http.StatusServiceUnavailable, "server busy"),
		middlewaretest.Text(http.StatusOK, "hello"),
	)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer upstream.Close()
	config := fstest.MapFS{"http.yaml": {Data: []byte(`
pipelines:
  deepseek:
    order: [retry, semaphore]
    stages:
      retry: {max_attempts: 3, base_delay: 10ms}
`)}}

	app := fx.New(
		fx.NopLogger,
		fxmodule.Module,
		fxmodule.Config(config, "http.yaml"),
		fxmodule.Pipeline("deepseek"),
		fx.Provide(fx.Annotate(
			func(client *http.Client) *Assistant { return &Assistant{client, upstream.URL} },
			fx.ParamTags(`name:"deepseek"`),
		)),
		fx.Invoke(func(lc fx.Lifecycle, a *Assistant) { lc.Append(fx.StartHook(a.Ask)) }),
	)
	run(app)
	fmt.Println(upstream.Stats().Requests, "requests")
	// Output:
	// the assistant hears 200 OK
	// 2 requests
}

// run starts an application and stops it, as fx.App.Run does on a signal.
func run(app *fx.App) {
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	if err := app.Stop(context.Background()); err != nil {
		fmt.Println(err)
	}
}

// A configuration that was made in Go, and one pipeline that departs from it.
func ExamplePipeline() {
	file := pipeline.File{Pipelines: map[string]pipeline.Config{
		"deepseek": {Order: []string{"retry", "semaphore"}},
		"search":   {Order: []string{"retry", "semaphore"}},
	}}
	type pipelines struct {
		fx.In

		Deepseek *pipeline.Pipeline `name:"deepseek"`
		Search   *pipeline.Pipeline `name:"search"`
	}
	app := fx.New(
		fx.NopLogger,
		fxmodule.Module,
		fx.Supply(file),
		fxmodule.Pipeline("deepseek"),
		fxmodule.Pipeline("search", fx.Decorate(func(c pipeline.Config) pipeline.Config {
			c.Off = append(c.Off, "semaphore")
			return c
		})),
		fx.Invoke(func(in pipelines) {
			for _, p := range []*pipeline.Pipeline{in.Deepseek, in.Search} {
				fmt.Print(p.Name(), ":")
				for _, stage := range p.Report() {
					fmt.Print(" ", stage.ID)
				}
				fmt.Println()
			}
		}),
	)
	run(app)
	// Output:
	// deepseek: retry semaphore transport
	// search: retry transport
}

// All that is wrong with the configuration is in the application's Err, below
// the place in the graph where it was needed.
func ExampleConfig() {
	config := fstest.MapFS{
		"http.yaml": {Data: []byte(`pipelines:
  search:
    order: [retry, semaphor]
`)},
		"http.production.yaml": {Data: []byte(`pipelines:
  search:
    stages:
      retry: {max_attempts: many}
`)},
	}
	app := fx.New(
		fx.NopLogger,
		fxmodule.Module,
		fxmodule.Config(config, "http.yaml", "http.production.yaml"),
		fxmodule.Pipeline("search"),
	)
	_, errs, _ := strings.Cut(app.Err().Error(), "configuration:\n")
	for line := range strings.Lines(errs) {
		place, _, _ := strings.Cut(line, ";")
		fmt.Println(strings.TrimSpace(place))
	}
	// Output:
	// http.production.yaml:4:29: pipelines.search.stages.retry.max_attempts: "many" is not an integer
	// http.yaml:3:20: pipelines.search.order[1]: "semaphor": unknown stage
}

// A stage type of one's own, which takes what it needs from the graph.
func ExampleStage() {
	config := fstest.MapFS{"http.yaml": {Data: []byte(`
pipelines:
  search:
    order: [greet, retry]
    stages:
      greet: {greeting: good evening}
`)}}
	newGreet := func(out io.Writer) pipeline.Factory {
		return pipeline.Define("greet", defaultGreet, func(c greetConfig, env pipeline.Env) (pipeline.Stage[greetConfig], error) {
			return pipeline.Stage[greetConfig]{Start: func(context.Context) error {
				_, err := fmt.Fprintf(out, "%s says %s\n", env.Pipeline, c.Greeting)
				return err
			}, Wrap: func(next http.RoundTripper) http.RoundTripper { return next }}, nil
		})
	}
	app := fx.New(
		fx.NopLogger,
		fxmodule.Module,
		fxmodule.Config(config, "http.yaml"),
		fxmodule.Pipeline("search"),
		fxmodule.Stage(newGreet),
		fx.Provide(func() io.Writer { return os.Stdout }),
	)
	run(app)
	// Output:
	// search says good evening
}

type greetConfig struct {
	// Greeting is what is said at the start. Default "hello".
	Greeting string `yaml:"greeting"`
}

func defaultGreet() greetConfig { return greetConfig{Greeting: "hello"} }

func (greetConfig) Validate() error { return nil }

// Tells an observer of one pipeline's events; among the options of the
// application, With would tell it of those of all pipelines.
func ExampleWith() {
	newObserver := func() middleware.Observer {
		return middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { fmt.Println(e.Stage, e.Kind) })
	}
	app := fx.New(
		fx.NopLogger,
		fxmodule.Module,
		fx.Supply(pipeline.File{Pipelines: map[string]pipeline.Config{
			"search": {Order: []string{"timeout"}, Stages: map[string]any{"timeout": map[string]any{"limit": "10ms"}}},
		}}),
		fxmodule.Pipeline("search",
			fx.Provide(newObserver, fx.Private),
			fxmodule.With(pipeline.WithObserver),
		),
		// A base that never answers.
		fx.Provide(fx.Annotate(func() http.RoundTripper {
			return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
		}, fx.ResultTags(`name:"search"`))),
		fx.Invoke(fx.Annotate(func(lc fx.Lifecycle, client *http.Client) {
			lc.Append(fx.StartHook(func() {
				_, err := client.Get("http://search.test/")
				fmt.Println(errors.Is(err, context.DeadlineExceeded))
			}))
		}, fx.ParamTags(``, `name:"search"`))),
	)
	run(app)
	// Output:
	// timeout timed_out
	// true
}
