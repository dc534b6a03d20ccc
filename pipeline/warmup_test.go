package pipeline_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// warming is a base that notes what it is told to warm.
type warming struct {
	http.RoundTripper
	journal
	err error
}

func (w *warming) Warm(_ context.Context, host string, _ int) error {
	w.add("warm " + host)
	return w.err
}

func warmup(settings map[string]any) pipeline.Config {
	return pipeline.Config{Order: []string{"dns_warmup"}, Stages: map[string]any{"dns_warmup": settings}}
}

func TestWarmUpIsPartOfStart(t *testing.T) {
	base := &warming{RoundTripper: ok}
	p := build(t, warmup(map[string]any{"hosts": []string{"a.example.com"}}), base)
	require.Empty(t, base.take(), "New does no I/O")
	require.NoError(t, p.Start(t.Context()))
	require.Equal(t, []string{"warm a.example.com"}, base.take())
	require.NoError(t, p.Reload(t.Context(), warmup(map[string]any{"hosts": []string{"a.example.com"}})))
	require.Empty(t, base.take(), "a reload does not begin again")
	require.NoError(t, p.Stop(t.Context()))
}

func TestAWarmUpThatIsRequiredMakesStartFail(t *testing.T) {
	base := &warming{RoundTripper: ok, err: errors.New("no such host")}
	p := build(t, warmup(map[string]any{"hosts": []string{"a.example.com"}, "required": true}), base)
	require.ErrorIs(t, p.Start(t.Context()), base.err)
	require.Equal(t, 200, get(t, p))
}

func TestWarmUpOverABaseThatCannot(t *testing.T) {
	_, err := pipeline.New("api", warmup(nil), pipeline.WithBase(ok))
	require.ErrorIs(t, err, dnswarmup.ErrNoWarmer)
	require.ErrorContains(t, err, "pipeline api: dns_warmup: ")
}

func TestWarmUpOfAPipelinesOwnTransport(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(200, "hello")))
	p, err := pipeline.New("api", warmup(map[string]any{"hosts": []string{up.URL}, "connections": 1, "required": true}))
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, up.Await(t.Context(), func(s middlewaretest.Stats) bool { return s.Connections == 1 }))
	require.Zero(t, up.Stats().Requests)

	resp, err := p.Client().Get(up.URL)
	require.NoError(t, err)
	require.Equal(t, 200, finish(t, resp))
	require.Equal(t, 1, up.Stats().Connections, "the warm one")
	require.NoError(t, p.Stop(context.Background()))
}

func TestPresetsWarmTheHostsOfRequestsWhereTheBaseCan(t *testing.T) {
	for _, preset := range []string{"standard", "llm"} {
		t.Run(preset, func(t *testing.T) {
			base := &warming{RoundTripper: ok}
			p := build(t, pipeline.Config{Extends: preset}, base)
			require.NoError(t, p.Start(t.Context()))
			require.Empty(t, base.take())
			require.Equal(t, 200, get(t, p))
			require.Eventually(t, func() bool { return len(base.take()) > 0 }, 5*time.Second, time.Millisecond)
			require.NoError(t, p.Stop(t.Context()))

			p = build(t, pipeline.Config{Extends: preset}, ok)
			require.NoError(t, p.Start(t.Context()))
			require.NoError(t, p.Ready(t.Context()))
			require.Equal(t, 200, get(t, p))
			require.NoError(t, p.Stop(t.Context()))
		})
	}
}
