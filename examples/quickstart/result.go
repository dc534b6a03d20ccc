package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is the figures of one run.
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
	HitRatio float64 `json:"cache_hit_ratio"`
	// Steps is the share of fresh answers in each load step.
	Steps [steps]float64 `json:"fresh_by_step"`
}

func summarize(name string, l load, calls []*call, upstream, ceiling int) result {
	r := result{Client: name, Calls: len(calls), Ceiling: ceiling}
	var took []time.Duration
	var offered [steps]int
	inTime, hits := 0, 0
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
			if c.cached {
				hits++
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
	slices.Sort(took)
	r.P50, r.P95, r.P99 = quantile(took, 0.5), quantile(took, 0.95), quantile(took, 0.99)
	r.Goodput = float64(inTime) / l.duration().Seconds()
	r.Upstream = float64(upstream) / float64(len(calls))
	r.HitRatio = float64(hits) / float64(len(calls))
	return r
}

// quantile gives milliseconds; 0 if there is nothing.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(q*float64(len(sorted)-1)+0.5)]) / float64(time.Millisecond)
}

func (r result) share(n int) float64 { return 100 * float64(n) / float64(max(1, r.Calls)) }

func report(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "client\tcalls\tfresh\tof ceiling\tdegraded\tfailed\tgoodput\tp50\tp95\tp99\tupstream/call\tcache hits\t")
	for _, r := range results {
		of := "-"
		if !strings.Contains(r.Client, "200 prompts") { // a cache is not bound by the upstream's capacity
			of = fmt.Sprintf("%.1f %%", 100*float64(r.Fresh)/float64(max(1, r.Ceiling)))
		}
		fmt.Fprintf(t, "%s\t%d\t%.1f %%\t%s\t%.1f %%\t%.1f %%\t%.0f/s\t%.0f ms\t%.0f ms\t%.0f ms\t%.2f\t%.0f %%\t\n",
			r.Client, r.Calls, r.share(r.Fresh), of, r.share(r.Degraded), r.share(r.Failed), r.Goodput, r.P50, r.P95, r.P99, r.Upstream, 100*r.HitRatio)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return chart(w, results)
}

// chart shows the share of fresh answers in each load step.
func chart(w io.Writer, results []result) error {
	const width = 14
	var b strings.Builder
	b.WriteString("\nfresh answers by load step (the upstream can do 400/s)\n\n  offered ")
	for _, r := range results {
		fmt.Fprintf(&b, "  %-*s", width+6, r.Client)
	}
	for s := range steps {
		fmt.Fprintf(&b, "\n%7d/s ", 100*(s+1))
		for _, r := range results {
			n := int(r.Steps[s]*width + 0.5)
			fmt.Fprintf(&b, "  %s%s %3.0f %%", strings.Repeat("█", n), strings.Repeat("·", width-n), 100*r.Steps[s])
		}
	}
	fmt.Fprintf(&b, "\n\nceiling: what a perfect queue could answer in time, from this run's own arrivals: %.1f %% of the calls\n", results[0].share(results[0].Ceiling))
	_, err := io.WriteString(w, b.String())
	return err
}
