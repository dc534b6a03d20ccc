package main

import (
	"context"
	"fmt"
	"io"
	"sync"

	"go.uber.org/fx"

	"github.com/headgate-go/headgate/pipeline"
)

// demonstration shows the chains, asks the assistant twice and ends the application.
var demonstration = fx.Module("demonstration", fx.Invoke(demonstrate))

type parts struct {
	fx.In

	Lifecycle fx.Lifecycle
	Shutdown  fx.Shutdowner
	Out       io.Writer
	Assistant *assistant
	Deepseek  *pipeline.Pipeline `name:"deepseek"`
	Search    *pipeline.Pipeline `name:"search"`
	APIs      *upstreams
}

func demonstrate(p parts) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	p.Lifecycle.Append(fx.StartStopHook(
		func() { work.Go(func() { p.show(ctx) }) },
		func() { cancel(); work.Wait() },
	))
}

func (p parts) show(ctx context.Context) {
	fmt.Fprintf(p.Out, "%s\n\n%s\n", p.Deepseek, p.Search)
	for range 2 {
		a, err := p.Assistant.ask(ctx, "What is a headgate?")
		if err != nil {
			fmt.Fprintf(p.Out, "\nno answer: %v\n", err)
			continue
		}
		fmt.Fprintf(p.Out, "\n%s\n", a.Text)
		if a.Notes != "" {
			fmt.Fprintf(p.Out, "  (%s)\n", a.Notes)
		}
	}
	fmt.Fprintf(p.Out, "\nrequests: %d to the LLM, %d to the search\n", p.APIs.llm.Stats().Requests, p.APIs.search.Stats().Requests)
	_ = p.Shutdown.Shutdown() // fails only if the application is stopping already
}
