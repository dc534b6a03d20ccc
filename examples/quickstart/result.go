package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
)

func report(w io.Writer, results []loadtest.Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "client\tcalls\tfresh\tof ceiling\tdegraded\tfailed\tgoodput\tp50\tp95\tp99\tupstream/call\tcache hits\t")
	for _, r := range results {
		of := "-"
		if !strings.Contains(r.Client, "200 prompts") { // a cache is not bound by the upstream's capacity
			of = fmt.Sprintf("%.1f %%", r.OfCeiling())
		}
		fmt.Fprintf(t, "%s\t%d\t%.1f %%\t%s\t%.1f %%\t%.1f %%\t%.0f/s\t%.0f ms\t%.0f ms\t%.0f ms\t%.2f\t%.0f %%\t\n",
			r.Client, r.Calls, r.Share(r.Fresh), of, r.Share(r.Degraded), r.Share(r.Failed), r.Goodput, r.P50, r.P95, r.P99, r.Upstream, 100*r.HitRatio)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return chart(w, results)
}

// tooLate is in milliseconds, as long as the upstream takes for a request.
const tooLate = 50

// chart shows the share of fresh answers in each load step.
func chart(w io.Writer, results []loadtest.Result) error {
	const width = 14
	var b strings.Builder
	b.WriteString("\nfresh answers by load step (the upstream can do 400/s)\n\n  offered ")
	for _, r := range results {
		fmt.Fprintf(&b, "  %-*s", width+6, r.Client)
	}
	for s := range results[0].Steps {
		fmt.Fprintf(&b, "\n%7d/s ", 100*(s+1))
		for _, r := range results {
			n := int(r.Steps[s]*width + 0.5)
			fmt.Fprintf(&b, "  %s%s %3.0f %%", strings.Repeat("█", n), strings.Repeat("·", width-n), 100*r.Steps[s])
		}
	}
	fmt.Fprintf(&b, "\n\nceiling: what a perfect queue could answer in time, from this run's own arrivals: %.1f %% of the calls\n", results[0].Share(results[0].Ceiling))
	for _, r := range results {
		if r.Late > tooLate {
			fmt.Fprintf(&b, "%s: this machine was too busy to send requests in time (up to %.0f ms late); its figures say little\n", r.Client, r.Late)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
