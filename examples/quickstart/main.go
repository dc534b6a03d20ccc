// Command quickstart shows what Headgate is for: it offers 100 to 1000 requests
// per second to an API that can do 400, and compares a plain http.Client, a pool
// of 16 synchronous workers, and Headgate with the pipeline of http.yaml.
//
// It runs offline, against an upstream of its own: 20 slots of 50 ms, room for
// 40 to wait, and an instant 503 beyond. With -url it sends real prompts to a
// real OpenAI-compatible API instead, through the same pipeline.
package main

import (
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

//go:embed http.yaml
var config embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	step := flags.Duration("step", 800*time.Millisecond, "how long each of the ten load steps lasts")
	jsonFile := flags.String("json", "", "write the figures to this `file` too")
	url := flags.String("url", "", "send real prompts to this OpenAI-compatible `URL`, such as https://api.deepseek.com/v1")
	model := flags.String("model", "deepseek-chat", "the model for -url")
	prompts := flags.Int("prompts", 10, "how many prompts to send with -url")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return nil
	case err != nil:
		return err
	case *step < time.Millisecond || *prompts < 1:
		return fmt.Errorf("-step must be at least 1ms and -prompts at least 1")
	}
	if *url != "" {
		return runReal(ctx, *url, *model, *prompts, stdout)
	}
	results, err := experiment(ctx, growing(*step), stderr)
	if err != nil {
		return err
	}
	if err := report(stdout, results); err != nil || *jsonFile == "" {
		return err
	}
	data, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(*jsonFile, append(data, '\n'), 0o600)
}
