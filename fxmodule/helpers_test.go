package fxmodule_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// twoPipelines is what most tests configure.
const twoPipelines = `
pipelines:
  deepseek:
    order: [retry, semaphore]
    stages:
      retry: {max_attempts: 4, base_delay: 1ms}
  search:
    order: [retry]
    stages:
      retry: {max_attempts: 2, base_delay: 1ms}
`

func files(base string) fstest.MapFS {
	return fstest.MapFS{"http.yaml": {Data: []byte(base)}}
}

// configured is the module with a base file alone.
func configured(base string) fx.Option {
	return fx.Options(fxmodule.Module, fxmodule.Config(files(base), "http.yaml"))
}

// deepseek and search are what an application takes of the two pipelines.
type both struct {
	fx.In

	Deepseek       *pipeline.Pipeline `name:"deepseek"`
	DeepseekClient *http.Client       `name:"deepseek"`
	Search         *pipeline.Pipeline `name:"search"`
	SearchClient   *http.Client       `name:"search"`
}

// started is a running application, stopped when the test is over.
func started(t *testing.T, opts ...fx.Option) {
	t.Helper()
	app := fxtest.New(t, fx.Options(opts...), fx.NopLogger)
	app.RequireStart()
	t.Cleanup(app.RequireStop)
}

// failing is an application that must not come to be.
func failing(opts ...fx.Option) error {
	return fx.New(fx.Options(opts...), fx.NopLogger).Err()
}

func get(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	resp, err := client.Get(url)
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode, string(text)
}

// named gives a base under a pipeline's name.
func named(name string, rt http.RoundTripper) fx.Option {
	return fx.Supply(fx.Annotate(rt, fx.As(new(http.RoundTripper)), fx.ResultTags(`name:"`+name+`"`)))
}

// answering is a base that answers without a network and counts its requests.
type answering struct {
	status int

	mu    sync.Mutex
	count int
}

func (a *answering) RoundTrip(req *http.Request) (*http.Response, error) {
	middleware.CloseBody(req)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}, nil
}

func (a *answering) requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

// journal is what the stages of type "witness" write down of their lives.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) write(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string{}, j.lines...)
}

type witnessConfig struct {
	FailStart bool `yaml:"fail_start"`
}

func (witnessConfig) Validate() error { return nil }

var errStart = errors.New("no upstream in sight")

// witness is a stage type of one's own that takes a collaborator from the graph.
func witness(j *journal) pipeline.Factory {
	defaults := func() witnessConfig { return witnessConfig{} }
	return pipeline.Define("witness", defaults, func(c witnessConfig, env pipeline.Env) (pipeline.Stage[witnessConfig], error) {
		return pipeline.Stage[witnessConfig]{
			Wrap: func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					j.write(env.Pipeline + " sends")
					return next.RoundTrip(req)
				})
			},
			Start: func(context.Context) error {
				j.write(env.Pipeline + " starts")
				if c.FailStart {
					return errStart
				}
				return nil
			},
			Stop: func(context.Context) error {
				j.write(env.Pipeline + " stops")
				return nil
			},
		}, nil
	})
}
