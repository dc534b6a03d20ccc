// Command warmup shows what warming and keeping connections is worth. It puts a
// network between client and server on which a lookup takes 100 ms, a TCP
// connection 50 ms and a TLS handshake another 100 ms, and compares an
// http.Client as net/http makes it with one over the pipeline of http.yaml: how
// many handshakes 100 callers need that come in waves, and how long the first
// request takes.
//
// It runs offline, against an upstream of its own.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "warmup:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("warmup", flag.ContinueOnError)
	flags.SetOutput(stderr)
	requests := flags.Int("requests", 2000, "how many requests the callers send together")
	callers := flags.Int("callers", 100, "how many callers there are at a time, at most 256")
	firsts := flags.Int("firsts", 7, "how many times a first request is measured")
	asJSON := flags.Bool("json", false, "print the figures as JSON")
	report := flags.Bool("report", false, "print also what the pipeline reports of itself")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return nil
	case err != nil:
		return err
	case *requests < 1 || *callers < 1 || *callers > 256 || *firsts < 1:
		return fmt.Errorf("-requests and -firsts must be at least 1, -callers from 1 to 256")
	}
	var all []Result
	for _, http2 := range []bool{false, true} {
		for _, client := range []maker{plain, headgate} {
			r, err := measure(ctx, client, http2, *requests, *callers, *firsts)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
	}
	if *asJSON {
		return json.NewEncoder(stdout).Encode(all)
	}
	if err := table(stdout, all); err != nil || !*report {
		return err
	}
	return reports(stdout, all)
}

// reports prints what the clients told of themselves, those that do.
func reports(w io.Writer, all []Result) error {
	for _, r := range all {
		for _, stage := range r.Report {
			stats, err := json.Marshal(stage.Stats)
			if err != nil {
				return err
			}
			lines := strings.ReplaceAll(string(stats), `},"`, "},\n \"") // which JSON allows
			fmt.Fprintf(w, "\n%s, %s, %s:\n%s\n", r.Client, r.Protocol, stage.ID, lines)
		}
	}
	return nil
}

func table(w io.Writer, all []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "client\tprotocol\thandshakes per 1,000 requests\tfirst request\twarm request\t")
	for _, r := range all {
		fmt.Fprintf(t, "%s\t%s\t%.1f\t%v\t%v\t\n", r.Client, r.Protocol, r.PerThousand, r.First.Round(time.Millisecond/10), r.Warm.Round(time.Millisecond/10))
	}
	return t.Flush()
}
