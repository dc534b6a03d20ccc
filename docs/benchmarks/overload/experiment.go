package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
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
		r, err := runOne(ctx, f, c, meter(progress, fmt.Sprintf("%s %d/%d %s", f.name, i+1, len(chosen), c.name)))
		if err != nil {
			return o, fmt.Errorf("%s: %w", c.name, err)
		}
		o.Results = append(o.Results, r)
	}
	fmt.Fprintln(progress)
	return o, nil
}

func runOne(ctx context.Context, f form, c client, progress func(float64)) (result, error) {
	cfg := f.upstream()
	up, err := middlewaretest.Start(cfg)
	if err != nil {
		return result{}, err
	}
	defer up.Close()
	do, closing, err := c.open(up.URL+"/v1/answers", f.load)
	if err != nil {
		return result{}, err
	}
	defer closing()
	calls := f.load.offer(ctx, do, progress)
	if err := ctx.Err(); err != nil {
		return result{}, err
	}
	r := summarize(c.name, f.load, calls, up.Stats().Requests)
	r.Ceiling = ceiling(calls, f.load.deadline, cfg)
	return r, nil
}

// meter shows how far a run is: in place on a terminal, else at its end.
func meter(w io.Writer, name string) func(done float64) {
	terminal := false
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	shown := 0
	return func(done float64) {
		percent := int(100 * done)
		switch {
		case percent == shown:
		case terminal:
			fmt.Fprintf(w, "\r%-54s %3d %%", name, percent)
		case percent == 100:
			fmt.Fprintln(w, name)
		}
		shown = percent
	}
}
