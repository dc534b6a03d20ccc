package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/report"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "stages:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("stages", flag.ContinueOnError)
	flags.SetOutput(stderr)
	count := flags.Int("count", 10, "how often each is measured; the best round counts")
	benchtime := flags.String("benchtime", "0.05s", "how long each measurement takes, as for go test")
	results := flags.String("results", "", "put the table into this `page` too")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	raw, err := measure(ctx, *count, *benchtime, stderr)
	if err != nil {
		return err
	}
	all, err := parse(raw)
	if err != nil {
		return err
	}
	text := table(all).String() + "\n" + notes
	if *results != "" {
		command := strings.TrimSpace("go run ./stages " + strings.Join(args, " "))
		page := fmt.Sprintf("%s\n\n`%s` in docs/benchmarks, on %s.", text, command, report.Machine())
		if err := report.Replace(*results, "stages", page); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(stdout, text)
	return err
}

// measure runs all benchmarks count times, one round after the other, so that what
// else the machine does for a while spoils a round and not a benchmark.
func measure(ctx context.Context, count int, benchtime string, progress io.Writer) (io.Reader, error) {
	folder, err := os.MkdirTemp("", "stages")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	binary := filepath.Join(folder, "stages.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./stages")
	build.Stderr = progress
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(build.Args, " "), err)
	}
	var raw bytes.Buffer
	for i := range count {
		fmt.Fprintf(progress, "round %d of %d\n", i+1, count)
		cmd := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", ".", "-test.benchmem", "-test.benchtime", benchtime)
		cmd.Stdout, cmd.Stderr = &raw, progress
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
		}
	}
	return &raw, nil
}

const notes = `The best of the rounds. "Over the base" is the time less that of the stub alone; "in a chain" is the time of a chain with the stage less that of one with a stage that does nothing, because a chain makes the exchange and the watch over the body once for all stages of a call. A refusal is absolute. The factor is the time over the base as a multiple of Headgate's, in a chain where there is one. "Contended" is 32 callers for each processor.`
