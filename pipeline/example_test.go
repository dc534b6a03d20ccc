package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing/fstest"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/pipeline"
)

// busy is an upstream whose first answer to each path is 503.
func busy() *httptest.Server {
	var seen sync.Map
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.URL.Path, true); !again {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
}

func Example() {
	upstream := busy()
	defer upstream.Close()

	retries := retry.DefaultConfig()
	retries.BaseDelay = 10 * time.Millisecond
	p, err := pipeline.New("api", pipeline.Config{
		Extends: "standard",
		Stages: map[string]any{
			"retry":     retries,                             // a stage's own Config, taken as it is
			"semaphore": map[string]any{"max_concurrent": 8}, // or a map over the preset's settings
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := p.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = p.Stop(ctx) }()

	resp, err := p.Client().Get(upstream.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleLoad() {
	config := fstest.MapFS{ // os.DirFS("config")
		"http.yaml": {Data: []byte(`
pipelines:
  api:
    order: [timeout/total, retry, semaphore]
    stages:
      retry: {max_attempts: 4}
`)},
		"http.production.yaml": {Data: []byte(`
pipelines:
  api:
    insert:
      circuit_breaker: {after: retry}
    off: [semaphore]
    stages:
      retry: {max_attempts: 2}
`)},
	}
	file, err := pipeline.Load(config, "http.yaml", "http.production.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Pipelines["api"].Order)
	fmt.Println(file.Pipelines["api"].Stages["retry"].(retry.Config).MaxAttempts)
	// Output:
	// [timeout/total retry circuit_breaker]
	// 2
}

func ExampleLoad_mistakes() {
	config := fstest.MapFS{"http.yaml": {Data: []byte(`
pipelines:
  api:
    order: [retri, semaphore]
    stages:
      retry: {max_attempt: 3}
      semaphore: {max_concurrent: 0}
`)}}
	_, err := pipeline.Load(config, "http.yaml")
	var mistakes interface{ Unwrap() []error }
	if errors.As(err, &mistakes) {
		for _, err := range mistakes.Unwrap() {
			var e *pipeline.ConfigError
			if errors.As(err, &e) {
				fmt.Printf("line %d, column %d: %s\n", e.Line, e.Column, e.Path)
			}
		}
	}
	// Output:
	// line 4, column 13: pipelines.api.order[0]
	// line 6, column 15: pipelines.api.stages.retry.max_attempt
	// line 7, column 19: pipelines.api.stages.semaphore.max_concurrent
}

// tagConfig is the settings of the stage in ExampleDefine.
type tagConfig struct {
	// Value is what the header Tag says. Default "headgate".
	Value string `yaml:"value"`
}

func (c tagConfig) Validate() error {
	var p middleware.Problems
	p.Check(c.Value != "", "value", "it is empty; write what the header shall say")
	return p.Err()
}

func ExampleDefine() {
	tag := pipeline.Define("tag",
		func() tagConfig { return tagConfig{Value: "headgate"} },
		func(cfg tagConfig, _ pipeline.Env) (pipeline.Stage[tagConfig], error) {
			return pipeline.Stage[tagConfig]{Wrap: func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(req)
					if err == nil {
						resp.Header.Set("Tag", cfg.Value)
					}
					return resp, err
				})
			}}, nil
		})
	registry, err := pipeline.NewRegistry(tag) // knows the built-in stages too
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := registry.Load(fstest.MapFS{"http.yaml": {Data: []byte(`
pipelines:
  api:
    order: [retry, tag]
    stages:
      tag: {value: hello}
`)}}, "http.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := registry.New("api", file.Pipelines["api"], pipeline.WithBase(answering(http.StatusOK)))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := p.Client().Get("http://api.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Header.Get("Tag"))
	// Output: hello
}

// Any stage can be switched off for one request, by its type or its id.
func ExamplePipeline_skip() {
	p, err := pipeline.New("api", pipeline.Config{
		Order:  []string{"retry"},
		Stages: map[string]any{"retry": map[string]any{"base_delay": "10ms"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := busy()
	defer upstream.Close()
	defer func() { _ = p.Stop(context.Background()) }()

	ctx := middleware.Skip(context.Background(), "retry")
	for _, c := range []struct {
		ctx  context.Context
		path string
	}{{context.Background(), "/retried"}, {ctx, "/not"}} {
		req, err := http.NewRequestWithContext(c.ctx, http.MethodGet, upstream.URL+c.path, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		resp, err := p.Client().Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = resp.Body.Close()
		fmt.Println(c.path, resp.StatusCode)
	}
	// Output:
	// /retried 200
	// /not 503
}

func ExamplePipeline_String() {
	p, err := pipeline.New("api", pipeline.Config{
		Order:  []string{"timeout/total", "retry", "timeout/attempt"},
		Stages: map[string]any{"timeout/attempt": map[string]any{"limit": "3s", "until": "headers"}},
	}, pipeline.WithBase(answering(http.StatusOK)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p)
	// Output:
	// api: at most 3 upstream requests a call
	//   timeout/total    {}
	//   retry            {}
	//   timeout/attempt  {limit: 3s, until: "headers"}
	//   base             middleware.RoundTripperFunc
}
