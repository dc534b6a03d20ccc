package pipeline_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

type kinds struct {
	mu  sync.Mutex
	all []string // "stage kind"
}

func (k *kinds) Observe(_ context.Context, e middleware.Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, e.Stage+" "+e.Kind)
}

func TestTheBaseTellsItsEventsAndStatisticsAsAStage(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(200, "hello")))
	var seen kinds
	p, err := pipeline.New("api", pipeline.Config{Order: []string{"retry"}}, pipeline.WithObserver(&seen))
	require.NoError(t, err)
	defer p.Stop(context.Background())
	for range 3 {
		resp, err := p.Client().Get(up.URL)
		require.NoError(t, err)
		require.Equal(t, 200, finish(t, resp))
	}
	require.Equal(t, []string{"transport connected"}, seen.all)
	report := p.Report()
	require.Len(t, report, 2)
	require.Equal(t, "transport", report[1].ID)
	stats, ok := report[1].Stats.(transport.Stats)
	require.True(t, ok)
	require.EqualValues(t, 3, stats.Requests)
	require.EqualValues(t, 2, stats.Reused)
	require.Contains(t, jsonOf(t, report), `"opened":1`)
}

func TestTransportSettingsOfAFileReachTheBase(t *testing.T) {
	file := load(t, `
pipelines:
  api:
    order: [retry]
    transport:
      proxy: none
      max_conn_age: 5m
      tls: {min_version: "1.3", root_files: [ca.pem]}
      resolver: {server: "127.0.0.1:5353", hosts: {api.internal: [10.0.0.1]}}
`)
	cfg := file.Pipelines["api"].Transport
	require.Equal(t, "none", cfg.Proxy)
	require.Equal(t, []string{"ca.pem"}, cfg.TLS.RootFiles)
	require.Equal(t, map[string][]string{"api.internal": {"10.0.0.1"}}, cfg.Resolver.Hosts)
	p, err := pipeline.New("api", file.Pipelines["api"])
	require.NoError(t, err, "no file is read yet")
	require.NoError(t, p.Stop(t.Context()))
}

func TestTheProxysPasswordStaysOutOfErrorsAndOfTheDescription(t *testing.T) {
	_, err := pipeline.Load(files("http.yaml", `
pipelines:
  api:
    order: []
    transport: {proxy: "ftp://me:pass-word@proxy", no_proxy: [""]}
`), "http.yaml")
	require.ErrorContains(t, err, "transport.proxy: ")
	require.ErrorContains(t, err, "transport.no_proxy[0]: ")
	require.NotContains(t, err.Error(), "pass-word")
	cfg := transport.DefaultConfig()
	cfg.Proxy = "http://me:pass-word@proxy.invalid"
	p, err := pipeline.New("api", pipeline.Config{Transport: &cfg})
	require.NoError(t, err)
	require.NotContains(t, p.String(), "pass-word")
	require.NoError(t, p.Stop(t.Context()))
}

func TestReadyIsWhatTheWarmUpSays(t *testing.T) {
	base := &warming{RoundTripper: ok, err: errors.New("no such host")}
	p := build(t, warmup(map[string]any{"hosts": []string{"a.example.com"}, "required": true}), base)
	require.ErrorIs(t, p.Ready(t.Context()), dnswarmup.ErrNotStarted)
	require.Error(t, p.Start(t.Context()))
	require.ErrorIs(t, p.Ready(t.Context()), base.err)
	base.err = nil
	require.NoError(t, p.Start(t.Context()))
	require.NoError(t, p.Ready(t.Context()))
	require.NoError(t, p.Stop(t.Context()))
	require.ErrorIs(t, p.Ready(t.Context()), pipeline.ErrStopped)

	p = build(t, pipeline.Config{Order: []string{"retry"}}, ok)
	require.NoError(t, p.Ready(t.Context()), "nothing to wait for")
	require.NoError(t, p.Reload(t.Context(), pipeline.Config{}))
	require.NoError(t, p.Ready(t.Context()))
	require.NoError(t, p.Stop(t.Context()))
	require.ErrorIs(t, p.Ready(t.Context()), pipeline.ErrStopped)
}
