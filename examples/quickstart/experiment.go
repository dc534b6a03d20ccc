package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// client is one way to call the upstream.
type client struct {
	name   string
	prompt func(i int) string
	open   func(url string) (do func(context.Context, *call), closing func(), err error)
}

func clients(l load) []client {
	return []client{
		{"plain http.Client", distinct, func(url string) (func(context.Context, *call), func(), error) {
			c := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
			return func(ctx context.Context, k *call) { ask(ctx, c, url, k) }, c.CloseIdleConnections, nil
		}},
		{"pool of 16 workers", distinct, func(url string) (func(context.Context, *call), func(), error) {
			c := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
			p := newPool(c, url, 16, l.deadline)
			return p.do, func() { p.close(); c.CloseIdleConnections() }, nil
		}},
		{"Headgate", distinct, openHeadgate},
		{"Headgate, 200 prompts", zipf(), openHeadgate},
	}
}

func openHeadgate(url string) (func(context.Context, *call), func(), error) {
	c, closing, err := headgate("quickstart")
	return func(ctx context.Context, k *call) { ask(ctx, c, url, k) }, closing, err
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
func experiment(ctx context.Context, l load, progress io.Writer) ([]result, error) {
	var results []result
	for i, c := range clients(l) {
		r, err := runOne(ctx, l, c, meter(progress, fmt.Sprintf("%d/4 %s", i+1, c.name)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	fmt.Fprintln(progress)
	return results, nil
}

func runOne(ctx context.Context, l load, c client, progress func(float64)) (result, error) {
	cfg := middlewaretest.Busy()
	cfg.Script = middlewaretest.Handler(completion)
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		return result{}, err
	}
	defer up.Close()
	do, closing, err := c.open(up.URL + "/v1")
	if err != nil {
		return result{}, err
	}
	defer closing()
	calls := l.offer(ctx, c.prompt, do, progress)
	if err := ctx.Err(); err != nil {
		return result{}, err
	}
	return summarize(c.name, l, calls, up.Stats().Requests, ceiling(calls, l.deadline, cfg.Capacity, cfg.ServiceTime)), nil
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

// meter shows how far a run is: in place on a terminal, else now and then.
func meter(w io.Writer, name string) func(done float64) {
	f, ok := w.(*os.File)
	if ok {
		info, err := f.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	shown := -1
	return func(done float64) {
		percent := int(100 * done)
		if !ok {
			percent -= percent % 50
		}
		if percent == shown {
			return
		}
		shown = percent
		if ok {
			fmt.Fprintf(w, "\r%-28s %3d %%", name, percent)
		} else if percent > 0 {
			fmt.Fprintf(w, "%-28s %3d %%\n", name, percent)
		}
	}
}
