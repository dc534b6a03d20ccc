package fxmodule_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/pipeline"
)

// counter counts the events that it is told of.
type counter struct {
	mu    sync.Mutex
	count int
}

func (c *counter) Observe(context.Context, middleware.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
}

func (c *counter) events() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

func observing(c *counter) func() pipeline.Option {
	return func() pipeline.Option { return pipeline.WithObserver(c) }
}

func TestWithReachesAsFarAsItsModule(t *testing.T) {
	onlyDeepseek, all, elsewhere := &counter{}, &counter{}, &counter{}
	busy := &answering{status: 503}
	var app both
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("deepseek", fxmodule.With(observing(onlyDeepseek))),
		fxmodule.Pipeline("search"),
		fxmodule.With(observing(all)),
		fx.Module("elsewhere", fxmodule.With(observing(elsewhere))),
		named("deepseek", busy), named("search", busy),
		fx.Invoke(func(in both) { app = in }))

	get(t, app.SearchClient, "http://upstream.test/")
	require.Zero(t, onlyDeepseek.events())
	ofSearch := all.events()
	require.Positive(t, ofSearch)

	get(t, app.DeepseekClient, "http://upstream.test/")
	require.Positive(t, onlyDeepseek.events())
	require.Equal(t, onlyDeepseek.events(), all.events()-ofSearch)
	require.Zero(t, elsewhere.events())
}

func TestWithTakesItsParametersFromTheGraph(t *testing.T) {
	c, base := &counter{}, &answering{status: 503}
	var client *http.Client
	started(t, configured(twoPipelines),
		fxmodule.Pipeline("search",
			fx.Provide(func() http.RoundTripper { return base }, func() middleware.Observer { return c }, fx.Private),
			fxmodule.With(pipeline.WithBase), // an option is a constructor already
			fxmodule.With(pipeline.WithObserver),
		),
		fx.Invoke(fx.Annotate(func(in *http.Client) { client = in }, fx.ParamTags(`name:"search"`))))
	get(t, client, "http://upstream.test/")
	require.Equal(t, 2, base.requests())
	require.Positive(t, c.events())
}

func TestWithCanHaveNothingToGive(t *testing.T) {
	started(t, configured(twoPipelines), fxmodule.Pipeline("search"),
		fxmodule.With(func() pipeline.Option { return nil }))
}

func TestWithCanFail(t *testing.T) {
	sealed := errors.New("the vault is sealed")
	err := failing(configured(twoPipelines), fxmodule.Pipeline("search",
		fxmodule.With(func() (pipeline.Option, error) { return nil, sealed })))
	require.ErrorIs(t, err, sealed)
}
