// Command matrix calls five Go SDKs while the upstream fails in every way that
// is known, with a plain http.Client and over Headgate, and tells how each call
// ended. It runs offline, against llmtest, and takes about a minute.
//
//	go -C examples/llm run ./matrix                             # prints the tables
//	go -C examples/llm run ./matrix -write ../../docs/llm-sdks.md # renews them in the page
//	go -C examples/llm run ./matrix -only "hang in the middle"
//
// The half with Headgate is a test as well: matrix_test.go. What a cell must be
// is in check.go, the pipeline in http.yaml.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	flags.SetOutput(stderr)
	page := flags.String("write", "", "renew the tables in this `page` instead of printing them")
	atOnce := flags.Int("at-once", 32, "how many calls to make at the same time")
	only := flags.String("only", "", "make only the calls whose `name` contains this")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *page != "" && *only != "" {
		return errors.New("-write needs all the calls; leave out -only")
	}
	if *atOnce < 1 {
		return fmt.Errorf("-at-once: %d, want at least 1", *atOnce)
	}
	cfg, err := config("matrix")
	if err != nil {
		return err
	}
	without, err := runAll(ctx, matching(cells(scaled, false), *only), cfg, scaled, *atOnce)
	if err != nil {
		return err
	}
	with, err := runAll(ctx, matching(cells(scaled, true), *only), cfg, scaled, *atOnce)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	report(&out, without, with)
	for _, r := range with {
		for _, p := range r.problems() {
			fmt.Fprintf(stderr, "%v: %s (%s, %d requests, %v)\n", r.cell, p, r.outcome, r.attempts, r.err)
		}
	}
	if *page != "" {
		return replace(*page, "matrix", out.String())
	}
	_, err = stdout.Write(out.Bytes())
	return err
}

// matching are the cells whose name contains a text.
func matching(all []cell, text string) []cell {
	return slices.DeleteFunc(all, func(c cell) bool { return !strings.Contains(c.String(), text) })
}

func report(w io.Writer, without, with []result) {
	fmt.Fprint(w, "\n## Summary\n\n")
	summary(w, without, with)
	fmt.Fprint(w, "\n## The upstream fails once\n\nThe next request gets its reply.\n\n")
	table(w, without, with, false)
	fmt.Fprint(w, "\n## The upstream fails always\n\nWhat is no failure is left out.\n\n")
	table(w, without, with, true)
	fmt.Fprintln(w)
}

// replace writes text between the two comments of a page that name it.
func replace(page, name, text string) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(data, []byte("<!-- "+name+":"))
	comment, rest, closes := bytes.Cut(rest, []byte("-->\n"))
	_, after, ends := bytes.Cut(rest, []byte("<!-- /"+name+" -->"))
	if !begins || !closes || !ends {
		return fmt.Errorf("%s has lost the comments around %q", page, name)
	}
	new := fmt.Sprintf("%s<!-- %s:%s-->\n%s<!-- /%s -->%s", before, name, comment, text, name, after)
	return os.WriteFile(page, []byte(new), 0o644)
}
