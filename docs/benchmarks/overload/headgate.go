package main

import (
	"context"
	"embed"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
	"github.com/headgate-go/headgate/pipeline"
)

//go:embed http.yaml
var config embed.FS

// headgate opens a client over a pipeline of http.yaml.
func headgate(name string) func(string, loadtest.Load) (func(context.Context, *loadtest.Call) loadtest.Answer, func(), error) {
	return func(url string, _ loadtest.Load) (func(context.Context, *loadtest.Call) loadtest.Answer, func(), error) {
		file, err := pipeline.Load(config, "http.yaml")
		if err != nil {
			return nil, nil, err
		}
		p, err := pipeline.New(name, file.Pipelines[name])
		if err != nil {
			return nil, nil, err
		}
		return asking(p.Client(), url), func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_ = p.Stop(ctx) // nobody waits any more, so it has nothing to report
		}, nil
	}
}
