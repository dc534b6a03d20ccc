// Command chat asks a model a few questions while its API misbehaves, through a
// plain http.Client and through Headgate, side by side in the terminal.
//
//	go -C examples/llm run ./chat
//	go -C examples/llm run ./chat -sdk langchaingo
//	DEEPSEEK_API_KEY=... go -C examples/llm run ./chat -real "Why is the sky blue?"
//
// Without -real it runs offline, against llmtest, and each question meets
// another failure: scenes.go. With it both sides ask the real DeepSeek, which
// costs what two questions cost.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/headgate-go/headgate/examples/llm/sdks"
	"github.com/headgate-go/headgate/pipeline"
)

//go:embed http.yaml
var files embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv("DEEPSEEK_API_KEY"), os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, key string, out io.Writer) error {
	flags := flag.NewFlagSet("chat", flag.ContinueOnError)
	name := flags.String("sdk", "deepseek-go", "the SDK: "+names())
	real := flags.Bool("real", false, "ask the real DeepSeek, with the key in DEEPSEEK_API_KEY")
	patience := flags.Duration("patience", 4*time.Second, "how long the caller waits for a reply, offline")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sdk, err := find(*name)
	if err != nil {
		return err
	}
	file, err := pipeline.Load(files, "http.yaml")
	if err != nil {
		return err
	}
	c := chat{sdk: sdk, screen: newBoard(out), patience: *patience}
	if !*real {
		return c.offline(ctx, file.Pipelines["show"])
	}
	if key == "" {
		return errors.New("-real needs a key in DEEPSEEK_API_KEY")
	}
	question := strings.Join(flags.Args(), " ")
	if question == "" {
		question = "Say in one sentence what a circuit breaker is."
	}
	return c.online(ctx, file.Pipelines["deepseek"], key, question)
}

func find(name string) (sdks.SDK, error) {
	for _, sdk := range sdks.All() {
		if sdk.Name == name {
			return sdk, nil
		}
	}
	return sdks.SDK{}, fmt.Errorf("-sdk: %q is unknown; it can be one of %s", name, names())
}

func names() string {
	var all []string
	for _, sdk := range sdks.All() {
		all = append(all, sdk.Name)
	}
	return strings.Join(all, ", ")
}
