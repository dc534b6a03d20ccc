package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("overload", flag.ContinueOnError)
	flags.SetOutput(stderr)
	form := flags.String("form", "all", "`staged`, flat or all")
	only := flags.String("client", "", "only the clients with this `text` in their name")
	short := flags.Bool("short", false, "a quarter of the time, deadlines included")
	asJSON := flags.Bool("json", false, "print the figures as JSON")
	out := flags.String("out", "", "write charts, and the tables into results.md, in this `folder`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	chosen, err := formsNamed(*form)
	if err != nil {
		return err
	}
	if *out != "" { // better now than after three minutes
		if _, err := os.Stat(filepath.Join(*out, page)); err != nil {
			return err
		}
	}
	var all []outcome
	for _, f := range chosen {
		if *short {
			f.load.Step, f.load.Deadline = f.load.Step/4, f.load.Deadline/4
		}
		o, err := experiment(ctx, f, *only, stderr)
		if err != nil {
			return err
		}
		all = append(all, o)
	}
	if err := show(stdout, all, *asJSON); err != nil || *out == "" {
		return err
	}
	return save(*out, all, "go run ./overload "+strings.Join(args, " "))
}

// show prints the tables, or everything as JSON.
func show(w io.Writer, all []outcome, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	for _, o := range all {
		if _, err := fmt.Fprintf(w, "%s\n\n%s\n", o.Title, o.table()); err != nil {
			return err
		}
	}
	return nil
}

const page = "results.md"

// save writes a chart for each form, and its table into its block of results.md.
func save(folder string, all []outcome, command string) error {
	for _, o := range all {
		picture := "overload-" + o.Form + ".svg"
		if err := os.WriteFile(filepath.Join(folder, picture), o.chart().SVG(), 0o600); err != nil {
			return err
		}
		text := fmt.Sprintf("%s\n\n%s\n![%s](%s)\n\n`%s` in docs/benchmarks, on %s.", o.Title, o.table(), o.Title, picture, command, report.Machine())
		if err := report.Replace(filepath.Join(folder, page), "overload-"+o.Form, text); err != nil {
			return err
		}
	}
	return nil
}
