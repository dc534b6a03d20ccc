package main

import (
	"context"
	"embed"
	"errors"
	"sync"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
	"github.com/headgate-go/headgate/pipeline"
)

//go:embed http.yaml
var files embed.FS

// config is the pipeline that the cells run through.
func config(name string) (pipeline.Config, error) {
	file, err := pipeline.Load(files, "http.yaml")
	if err != nil {
		return pipeline.Config{}, err
	}
	return file.Pipeline(name)
}

// cells are all that there are, with Headgate or without.
func cells(t times, headgate bool) []cell {
	var all []cell
	for _, f := range llmtest.Failures(t.pace) {
		for _, stream := range []bool{false, true} {
			for _, sdk := range sdks.All() {
				if !f.Happens(sdk.API, stream) {
					continue
				}
				c := cell{sdk: sdk, failure: f, stream: stream, headgate: headgate}
				all = append(all, c)
				if f.Expect != llmtest.ExpectReply {
					c.always = true
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// mostAgain bounds the calls that are made once more.
const mostAgain = 40

// runAll makes the calls, so many at a time, and returns their results in the
// same order. Time is real here, and a busy machine can make a healthy reply too
// late for a limit: a call that ended as it should not is made once more, alone. If
// there are many of them, it was not the machine.
func runAll(ctx context.Context, all []cell, cfg pipeline.Config, t times, atOnce int) ([]result, error) {
	results, errs := make([]result, len(all)), make([]error, len(all))
	var wg sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				results[i], errs[i] = all[i].run(ctx, cfg, t)
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wg.Wait()
	again := 0
	for i, r := range results {
		if r.headgate && errs[i] == nil && len(r.problems()) > 0 && again < mostAgain {
			again++
			results[i], errs[i] = all[i].run(ctx, cfg, t)
		}
	}
	return results, errors.Join(errs...)
}
