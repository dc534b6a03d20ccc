package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
	"github.com/headgate-go/headgate/pipeline"
)

// cell is one call of one SDK that meets one failure.
type cell struct {
	sdk      sdks.SDK
	failure  llmtest.Failure
	stream   bool
	always   bool // the failure never ends; else the second request gets its reply
	headgate bool
}

// outcome is how a call ended, as its caller sees it.
type outcome string

const (
	ok     outcome = "ok"     // the whole reply
	failed outcome = "error"  // an error, in time
	hung   outcome = "hangs"  // until the caller's own deadline
	silent outcome = "SILENT" // no error, and not the whole reply
)

// result is what became of a cell.
type result struct {
	cell
	outcome  outcome
	attempts int           // that the upstream saw
	early    bool          // an attempt came before the upstream's hint
	wasted   int           // tokens that nobody got
	took     time.Duration // for the caller
	err      error
}

// again is the reply to the request after the failure.
var again = llmtest.Words("All is well again.")

// times are the limits of a run.
type times struct {
	pace     time.Duration // between two tokens
	deadline time.Duration // of the caller
}

// scaled are those of http.yaml.
var scaled = times{pace: 20 * time.Millisecond, deadline: 10 * time.Second}

// run makes the call.
func (c cell) run(ctx context.Context, cfg pipeline.Config, t times) (result, error) {
	turns := []llmtest.Turn{c.failure.Turn}
	if !c.always && c.failure.Expect != llmtest.ExpectReply {
		turns = append(turns, llmtest.Say(again))
	}
	upstream := llmtest.DefaultConfig()
	upstream.Turns = turns
	api, err := llmtest.Start(upstream)
	if err != nil {
		return result{}, err
	}
	defer api.Close()
	client := &http.Client{Transport: api.Transport()}
	if c.headgate {
		p, err := pipeline.New("matrix", cfg, pipeline.WithBase(api.Transport()))
		if err != nil {
			return result{}, err
		}
		defer func() { _ = p.Stop(context.WithoutCancel(ctx)) }() // the cell is over, its calls with it
		client = p.Client()
	}
	model, err := c.sdk.New(sdks.Target{URL: api.URL, Key: "key", Model: c.sdk.Model, HTTP: client})
	if err != nil {
		return result{}, err
	}

	limited, cancel := context.WithTimeout(ctx, t.deadline)
	defer cancel()
	begin := time.Now()
	text, err := c.call(limited, model)
	r := result{cell: c, took: time.Since(begin), err: err, outcome: c.judge(limited, text, err)}
	s := api.Stats()
	r.attempts, r.wasted = s.Requests, s.Wasted()
	r.early = c.tooEarly(api)
	return r, ctx.Err()
}

// call asks, and collects what arrives.
func (c cell) call(ctx context.Context, model sdks.Client) (text string, err error) {
	if !c.stream {
		return model.Ask(ctx, "Is all well?")
	}
	var b strings.Builder
	err = model.Stream(ctx, "Is all well?", func(piece string) { b.WriteString(piece) })
	return b.String(), err
}

func (c cell) judge(ctx context.Context, text string, err error) outcome {
	want := again.String()
	if c.failure.Expect == llmtest.ExpectReply {
		want = c.failure.Reply.String()
	}
	switch {
	case err == nil && text == want:
		return ok
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return hung
	case err == nil:
		return silent
	default:
		return failed
	}
}

// tooEarly tells whether the second attempt came before the hint of the first answer.
func (c cell) tooEarly(api *llmtest.Upstream) bool {
	seen := api.Requests()
	return len(seen) > 1 && seen[1].At.Sub(seen[0].At) < c.failure.Wait
}
