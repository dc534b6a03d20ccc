package main

import (
	"context"
	"fmt"
	"io"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// experiment runs the form's load through each client, one after the other,
// each against an upstream of its own.
func experiment(ctx context.Context, f form, only string, progress io.Writer) (outcome, error) {
	o := outcome{Form: f.name, Title: f.title, load: f.load}
	chosen := named(only)
	if len(chosen) == 0 {
		return o, fmt.Errorf("-client %q is in no client's name", only)
	}
	for i, c := range chosen {
		r, err := runOne(ctx, f, c, loadtest.Meter(progress, fmt.Sprintf("%s %d/%d %s", f.name, i+1, len(chosen), c.name)))
		if err != nil {
			return o, fmt.Errorf("%s: %w", c.name, err)
		}
		o.Results = append(o.Results, r)
	}
	fmt.Fprintln(progress)
	return o, nil
}

func runOne(ctx context.Context, f form, c client, progress func(float64)) (loadtest.Result, error) {
	cfg := f.upstream()
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		return loadtest.Result{}, err
	}
	defer up.Close()
	do, closing, err := c.open(up.URL+"/v1/answers", f.load)
	if err != nil {
		return loadtest.Result{}, err
	}
	defer closing()
	calls := f.load.Offer(ctx, do, progress)
	if err := ctx.Err(); err != nil {
		return loadtest.Result{}, err
	}
	return f.load.Summarize(c.name, calls, loadtest.Upstream{Requests: up.Stats().Requests, Slots: cfg.Capacity, Service: cfg.ServiceTime}), nil
}
