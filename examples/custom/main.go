// Command custom shows a stage of one's own, used from a YAML file beside the
// built-in ones.
//
// The stage, idempotency_key, is in stage.go, in 30 lines. What to look at:
//
//   - pipeline.Define makes a stage type of a Config, its defaults and a build
//     function; NewRegistry adds it to the built-in ones.
//   - Load then checks its settings as strictly as any other's: with
//     "method: [POST]" in http.yaml the program ends with the line, the column
//     and a suggestion.
//   - The order in http.yaml puts it outside retry: one key for all attempts.
//
// It runs offline: an upstream in the program breaks a connection before it
// answers. What became of the order nobody can tell, so that retry must not
// send a POST again, unless it carries a key.
package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

//go:embed http.yaml
var config embed.FS

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "custom:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	registry, err := pipeline.NewRegistry(idempotencyKey())
	if err != nil {
		return err
	}
	file, err := registry.Load(config, "http.yaml")
	if err != nil {
		return err
	}
	for _, name := range []string{"plain", "orders"} {
		p, err := registry.New(name, file.Pipelines[name])
		if err != nil {
			return err
		}
		if err := errors.Join(order(ctx, p, out), p.Stop(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// order sends one POST through p to an upstream that breaks the first connection.
func order(ctx context.Context, p *pipeline.Pipeline, out io.Writer) error {
	upstream, err := middlewaretest.Start(unreliable())
	if err != nil {
		return err
	}
	defer upstream.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, upstream.URL+"/orders", strings.NewReader(`{"item": "tea"}`))
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "%s: %s\n", p.Name(), chain(p))
	if resp, err := p.Client().Do(req); err == nil {
		defer resp.Body.Close()
		fmt.Fprintln(out, "  the caller sees", resp.Status)
	} else {
		fmt.Fprintln(out, "  the caller sees a broken connection")
	}
	keys := map[string]bool{}
	for _, seen := range upstream.Requests() {
		keys[seen.Header.Get("Idempotency-Key")] = true
	}
	delete(keys, "")
	fmt.Fprintf(out, "  the upstream sees %d request(s) with %d key(s)\n", upstream.Stats().Requests, len(keys))
	return nil
}

func unreliable() middlewaretest.Config {
	cfg := middlewaretest.DefaultConfig()
	cfg.Script = middlewaretest.Sequence(
		middlewaretest.Answer{Fault: middlewaretest.Reset},
		middlewaretest.Text(http.StatusCreated, "one tea"),
	)
	return cfg
}

func chain(p *pipeline.Pipeline) string {
	var ids []string
	for _, stage := range p.Report() {
		ids = append(ids, stage.ID)
	}
	return strings.Join(ids, " > ")
}
