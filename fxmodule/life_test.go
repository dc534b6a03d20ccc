package fxmodule_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

func TestAStartThatFailsRollsBack(t *testing.T) {
	j := &journal{}
	app := fx.New(fx.NopLogger, configured(`
pipelines:
  deepseek: {order: [witness]}
  search: {order: [witness/first, witness/second], stages: {witness/second: {fail_start: true}}}
  maps: {order: [witness]}
`),
		fxmodule.Pipeline("deepseek"), fxmodule.Pipeline("search"), fxmodule.Pipeline("maps"),
		fx.Supply(j), fxmodule.Stage(witness))
	require.NoError(t, app.Err())

	err := app.Start(t.Context())
	require.ErrorIs(t, err, errStart)
	require.ErrorContains(t, err, "pipeline search: start witness/second")
	require.Equal(t, []string{
		"deepseek starts",
		"search starts", "search starts", "search stops", // the one that did not start is not stopped
		"deepseek stops",
	}, j.read())
}

func TestAPipelineThatDidNotStartServesNobody(t *testing.T) {
	var client *http.Client
	app := fx.New(fx.NopLogger, configured("pipelines: {search: {order: [witness], stages: {witness: {fail_start: true}}}}"),
		fxmodule.Pipeline("search"), fx.Supply(&journal{}), fxmodule.Stage(witness),
		fx.Invoke(fx.Annotate(func(in *http.Client) { client = in }, fx.ParamTags(`name:"search"`))))
	require.ErrorIs(t, app.Start(t.Context()), errStart)

	_, err := client.Get("http://upstream.test/")
	require.ErrorIs(t, err, pipeline.ErrStopped)
}

// hanging is an application with a request whose body is still open. The
// upstream sends the rest when release is closed.
func hanging(t *testing.T) (app *fx.App, client *http.Client, resp *http.Response, release chan struct{}) {
	t.Helper()
	release = make(chan struct{})
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Answer{
		Body:   []byte("first"),
		Stream: middlewaretest.Chunks(middlewaretest.Chunk{Wait: release, Data: " and last"}),
	}))
	app = fx.New(fx.NopLogger, configured(twoPipelines), fxmodule.Pipeline("search"),
		fx.Invoke(fx.Annotate(func(in *http.Client) { client = in }, fx.ParamTags(`name:"search"`))))
	require.NoError(t, app.Start(t.Context()))
	resp, err := client.Get(up.URL)
	require.NoError(t, err)
	return app, client, resp, release
}

func TestAStopDrains(t *testing.T) {
	app, client, resp, release := hanging(t)
	stopped := make(chan error, 1)
	go func() { stopped <- app.Stop(context.Background()) }()

	// New requests are turned away from some moment on, while the old one goes on.
	for {
		_, err := client.Get("http://127.0.0.1:1/") // where nobody listens
		require.Error(t, err)
		if errors.Is(err, pipeline.ErrStopped) {
			break
		}
	}
	require.Empty(t, stopped, "a request is under way")

	close(release)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "first and last", string(body))
	require.NoError(t, <-stopped)
}

func TestAStopGivesUpWhenItsTimeIsOver(t *testing.T) {
	app, _, resp, release := hanging(t)
	defer resp.Body.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err := app.Stop(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// What uses a pipeline is stopped before it, and started after it.
func TestAServiceLivesWithinThePipelinesLife(t *testing.T) {
	j := &journal{}
	app := fx.New(fx.NopLogger, configured("pipelines: {search: {order: [witness]}}"),
		fx.Invoke(fx.Annotate(func(lc fx.Lifecycle, _ *http.Client) {
			lc.Append(fx.StartStopHook(func() { j.write("service starts") }, func() { j.write("service stops") }))
		}, fx.ParamTags(``, `name:"search"`))),
		fxmodule.Pipeline("search"), fx.Supply(j), fxmodule.Stage(witness))
	require.NoError(t, app.Start(t.Context()))
	require.NoError(t, app.Stop(t.Context()))
	require.Equal(t, []string{"search starts", "service starts", "service stops", "search stops"}, j.read())
}
