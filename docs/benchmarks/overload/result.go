package main

import (
	"fmt"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/chart"
	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

// outcome is the results of all clients under one form of load.
type outcome struct {
	Form    string            `json:"form"`
	Title   string            `json:"title"`
	Results []loadtest.Result `json:"results"`
	load    loadtest.Load
}

func percent(n float64) string { return fmt.Sprintf("%.1f %%", n) }

func millis(ms float64) string { return fmt.Sprintf("%.0f ms", ms) }

func (o outcome) table() string {
	t := report.Table{Head: []string{"client", "fresh", "of the ceiling", "degraded", "failed", "goodput", "p50", "p95", "p99", "upstream requests per call"}}
	for _, r := range o.Results {
		t.Add(r.Client, percent(r.Share(r.Fresh)), percent(r.OfCeiling()), percent(r.Share(r.Degraded)), percent(r.Share(r.Failed)),
			fmt.Sprintf("%.0f/s", r.Goodput), millis(r.P50), millis(r.P95), millis(r.P99), fmt.Sprintf("%.2f", r.Upstream))
	}
	first := o.Results[0]
	return t.String() + fmt.Sprintf("\n%d calls. The ceiling is %s of them.\n", first.Calls, percent(first.Share(first.Ceiling)))
}

func (o outcome) chart() chart.Chart {
	c := chart.Chart{Title: "Fresh answers by load step", XTitle: fmt.Sprintf("requests per second offered, %v each (400 can be served)", o.load.Step)}
	for _, rate := range o.load.Rates {
		c.X = append(c.X, fmt.Sprint(rate))
	}
	for _, r := range o.Results {
		c.Lines = append(c.Lines, chart.Line{Name: r.Client, Values: r.Steps, Dashed: r.Client == told})
	}
	return c
}
