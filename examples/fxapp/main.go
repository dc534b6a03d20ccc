// Command fxapp is an fx application with two pipelines and an overlay for
// production. It runs offline, against upstreams of its own, and ends by itself.
//
//	go run ./examples/fxapp
//	APP_ENV=production go run ./examples/fxapp
//	go run ./examples/fxapp -env production
//
// What to look at:
//
//   - app.go: the whole use of fxmodule, in ten lines.
//   - assistant.go: a service that takes two plain http.Clients and knows
//     nothing of Headgate.
//   - http.yaml and http.production.yaml: the overlay holds only what differs.
//     In development the LLM is asked twice and the fallback answers; in
//     production it is asked until it answers, and the second search comes from
//     the cache.
//   - With -env staging there is no overlay: the program ends with an error
//     before anything starts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"go.uber.org/fx"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Getenv("APP_ENV"), os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fxapp:", err)
		os.Exit(1)
	}
}

// run is fx.App.Run, for a program that returns its errors.
func run(ctx context.Context, args []string, env string, out io.Writer) error {
	flags := flag.NewFlagSet("fxapp", flag.ContinueOnError)
	flags.StringVar(&env, "env", cmp.Or(env, development), "the `environment`: development or production; default is APP_ENV")
	if err := flags.Parse(args); err != nil {
		return err
	}
	apis, err := startUpstreams()
	if err != nil {
		return err
	}
	defer apis.close()
	app := fx.New(application(env), fx.Supply(apis, apis.endpoints(), fx.Annotate(out, fx.As(new(io.Writer)))))
	starting, cancel := context.WithTimeout(ctx, app.StartTimeout())
	defer cancel()
	if err := app.Start(starting); err != nil {
		return err
	}
	select {
	case <-app.Wait(): // the demonstration is over, or somebody has pressed Ctrl-C
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	return app.Stop(stopping)
}
