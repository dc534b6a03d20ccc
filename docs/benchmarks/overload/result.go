package main

import (
	"fmt"
	"time"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/chart"
	"github.com/headgate-go/headgate/docs/benchmarks/internal/figures"
	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// outcome is the results of all clients under one form of load.
type outcome struct {
	Form    string   `json:"form"`
	Title   string   `json:"title"`
	Results []result `json:"results"`
	load    load
}

// result is the figures of one client.
type result struct {
	Client   string  `json:"client"`
	Calls    int     `json:"calls"`
	Ceiling  int     `json:"ceiling"` // fresh answers of a perfect queue
	Fresh    int     `json:"fresh"`
	Degraded int     `json:"degraded"`
	Failed   int     `json:"failed"`
	Goodput  float64 `json:"goodput"` // fresh answers per second while the load lasted
	P50      float64 `json:"p50_ms"`  // of the fresh answers
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Upstream float64 `json:"upstream_requests_per_call"`
	// Steps is the share of fresh answers in each load step.
	Steps [steps]float64 `json:"fresh_by_step"`
}

func summarize(name string, l load, calls []*call, upstream int) result {
	r := result{Client: name, Calls: len(calls)}
	var took []time.Duration
	var offered [steps]int
	inTime := 0
	for _, c := range calls {
		offered[c.step]++
		switch c.answer {
		case fresh:
			r.Fresh++
			r.Steps[c.step]++
			took = append(took, c.took)
			if c.arrived+c.took <= l.duration() {
				inTime++
			}
		case degraded:
			r.Degraded++
		default:
			r.Failed++
		}
	}
	for s := range offered {
		r.Steps[s] /= float64(max(1, offered[s]))
	}
	q := figures.Quantiles(took, 0.5, 0.95, 0.99)
	r.P50, r.P95, r.P99 = q[0], q[1], q[2]
	r.Goodput = float64(inTime) / l.duration().Seconds()
	r.Upstream = float64(upstream) / float64(max(1, len(calls)))
	return r
}

func ceiling(calls []*call, deadline time.Duration, cfg middlewaretest.Config) int {
	arrivals := make([]time.Duration, len(calls))
	for i, c := range calls {
		arrivals[i] = c.arrived
	}
	return figures.Ceiling(arrivals, deadline, cfg.Capacity, cfg.ServiceTime)
}

func percent(n, of int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(max(1, of))) }

func millis(ms float64) string { return fmt.Sprintf("%.0f ms", ms) }

func (o outcome) table() string {
	t := report.Table{Head: []string{"client", "fresh", "of the ceiling", "degraded", "failed", "goodput", "p50", "p95", "p99", "upstream requests per call"}}
	for _, r := range o.Results {
		t.Add(r.Client, percent(r.Fresh, r.Calls), percent(r.Fresh, r.Ceiling), percent(r.Degraded, r.Calls), percent(r.Failed, r.Calls),
			fmt.Sprintf("%.0f/s", r.Goodput), millis(r.P50), millis(r.P95), millis(r.P99), fmt.Sprintf("%.2f", r.Upstream))
	}
	first := o.Results[0]
	return t.String() + fmt.Sprintf("\n%d calls. The ceiling is %s of them.\n", first.Calls, percent(first.Ceiling, first.Calls))
}

func (o outcome) chart() chart.Chart {
	c := chart.Chart{Title: "Fresh answers by load step", XTitle: fmt.Sprintf("requests per second offered, %v each (400 can be served)", o.load.step)}
	for _, rate := range o.load.rates {
		c.X = append(c.X, fmt.Sprint(rate))
	}
	for _, r := range o.Results {
		c.Lines = append(c.Lines, chart.Line{Name: r.Client, Values: r.Steps[:], Dashed: r.Client == told})
	}
	return c
}
