package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/middleware/middlewaretest/llmtest"
	"github.com/headgate-go/headgate/pipeline"
)

// chat asks questions with one SDK, both ways.
type chat struct {
	sdk      sdks.SDK
	screen   *board
	patience time.Duration
}

// offline plays the scenes, each side against an upstream of its own.
func (c chat) offline(ctx context.Context, cfg pipeline.Config) error {
	for _, s := range scenes() {
		if err := c.play(ctx, cfg, s); err != nil {
			return err
		}
	}
	return nil
}

func (c chat) play(ctx context.Context, cfg pipeline.Config, s scene) error {
	var apis [2]*llmtest.Upstream
	for side := range apis {
		upstream := llmtest.DefaultConfig()
		upstream.Turns = s.turns
		api, err := llmtest.Start(upstream)
		if err != nil {
			return err
		}
		defer api.Close()
		apis[side] = api
	}
	p, err := pipeline.New("show", cfg, pipeline.WithBase(apis[right].Transport()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	c.screen.begin(s.title, s.question)
	c.both(ctx, s.question, [2]sdks.Target{
		{URL: apis[left].URL, Key: "key", Model: c.sdk.Model, HTTP: apis[left].Client()},
		{URL: apis[right].URL, Key: "key", Model: c.sdk.Model, HTTP: p.Client()},
	}, func(side int) string { return fmt.Sprintf("requests: %d", apis[side].Stats().Requests) })
	return p.Stop(context.WithoutCancel(ctx))
}

// online asks the real API.
func (c chat) online(ctx context.Context, cfg pipeline.Config, key, question string) error {
	p, err := pipeline.New("deepseek", cfg)
	if err != nil {
		return err
	}
	c.screen.begin("DeepSeek", question)
	c.both(ctx, question, [2]sdks.Target{c.sdk.DeepSeek(key, &http.Client{}), c.sdk.DeepSeek(key, p.Client())}, func(int) string { return "" })
	return p.Stop(context.WithoutCancel(ctx))
}

// both asks on both sides at the same time, and ends when both have ended.
func (c chat) both(ctx context.Context, question string, targets [2]sdks.Target, cost func(side int) string) {
	var wg sync.WaitGroup
	for side, target := range targets {
		wg.Go(func() {
			err := c.ask(ctx, target, question, func(piece string) { c.screen.add(side, piece) })
			c.screen.end(side, verdict(err, c.screen.text(side)), cost(side))
		})
	}
	wg.Wait()
	c.screen.done()
}

func (c chat) ask(ctx context.Context, target sdks.Target, question string, piece func(string)) error {
	client, err := c.sdk.New(target)
	if err != nil {
		return err
	}
	return client.Stream(ctx, question, piece)
}

// verdict says how it ended, for one who sees only what the SDK says.
func verdict(err error, text string) string {
	switch {
	case err == nil && whole(text):
		return "complete"
	case err == nil:
		return "NOT COMPLETE, and no error"
	case errors.Is(err, context.DeadlineExceeded):
		return "error: out of patience"
	default:
		return "error"
	}
}
