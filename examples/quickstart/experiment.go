package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
	"github.com/headgate-go/headgate/pipeline"
)

// client is one way to call the upstream.
type client struct {
	name    string
	prompt  func(i int) string
	workers int // of a pool that calls it; 0 for none
	open    func() (c *http.Client, closing func(), err error)
}

func clients(calls int) []client {
	return []client{
		{"plain http.Client", distinct, 0, plain},
		{"pool of 16 workers", distinct, 16, plain},
		{"Headgate", distinct, 0, func() (*http.Client, func(), error) { return headgate("quickstart") }},
		{"Headgate, 200 prompts", zipf(calls), 0, func() (*http.Client, func(), error) { return headgate("quickstart") }},
	}
}

func plain() (*http.Client, func(), error) {
	c := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	return c, c.CloseIdleConnections, nil
}

// headgate gives a client over a pipeline of http.yaml.
func headgate(name string) (c *http.Client, closing func(), err error) {
	file, err := pipeline.Load(config, "http.yaml")
	if err != nil {
		return nil, nil, err
	}
	cfg, err := file.Pipeline(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := pipeline.New(name, cfg)
	if err != nil {
		return nil, nil, err
	}
	return p.Client(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.Stop(ctx) // whoever still waits after that was asked to leave long ago
	}, nil
}

// experiment runs the load through each client, one after the other, each
// against an upstream of its own.
func experiment(ctx context.Context, l loadtest.Load, progress io.Writer) ([]loadtest.Result, error) {
	var results []loadtest.Result
	at, _ := l.Arrivals()
	all := clients(len(at))
	for i, c := range all {
		r, err := runOne(ctx, l, c, loadtest.Meter(progress, fmt.Sprintf("%d/%d %s", i+1, len(all), c.name)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	fmt.Fprintln(progress)
	return results, nil
}

func runOne(ctx context.Context, l loadtest.Load, c client, progress func(float64)) (loadtest.Result, error) {
	cfg := middlewaretest.Busy()
	cfg.Script = middlewaretest.Handler(completion)
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		return loadtest.Result{}, err
	}
	defer up.Close()
	hc, closing, err := c.open()
	if err != nil {
		return loadtest.Result{}, err
	}
	defer closing()
	do := func(ctx context.Context, k *loadtest.Call) (answer loadtest.Answer) {
		answer, k.Cached = ask(ctx, hc, up.URL+"/v1", c.prompt(k.Number))
		return answer
	}
	if c.workers > 0 {
		p := loadtest.NewPool(c.workers, l.Deadline, do)
		defer p.Close()
		do = p.Do
	}
	calls := l.Offer(ctx, do, progress)
	if err := ctx.Err(); err != nil {
		return loadtest.Result{}, err
	}
	return l.Summarize(c.name, calls, loadtest.Upstream{Requests: up.Stats().Requests, Slots: cfg.Capacity, Service: cfg.ServiceTime}), nil
}

// completion answers as an OpenAI-compatible API does.
func completion(r *http.Request) middlewaretest.Answer {
	var in chatRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Messages) == 0 {
		return middlewaretest.Text(http.StatusBadRequest, "no messages")
	}
	var out chatResponse
	out.Choices = append(out.Choices, struct {
		Message chatMessage `json:"message"`
	}{chatMessage{Role: "assistant", Content: answerTo(in.Messages[0].Content)}})
	body, _ := json.Marshal(out)
	return middlewaretest.Answer{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
}
