package pipeline_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline"
)

// FuzzLoad builds whatever a file says, and sends a call through it: there is
// no configuration that makes it panic or hang.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	require.NoError(f, err)
	for _, name := range append(seeds, "presets.yaml") {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data, []byte(""))
	}
	f.Add([]byte(base), []byte(`pipelines: {api: {off: [retry], insert: {cache: {before: semaphore}}, stages: {semaphore: null}}}`))
	f.Add([]byte(`pipelines: {api: {extends: llm, stages: {rate_limit: {requests: 1, per: 1h, burst: 1}}}}`), []byte(`pipelines: {api: {order: null}}`))
	f.Add([]byte(`pipelines: {api: {extends: standard, transport: {max_idle_conns: 9, resolver: {ttl: 1s}}}}`), []byte(``))

	f.Fuzz(func(t *testing.T, file, overlay []byte) {
		loaded, err := pipeline.Load(files("http.yaml", string(file), "http.overlay.yaml", string(overlay)), "http.yaml", "http.overlay.yaml")
		if err != nil {
			require.Zero(t, loaded)
			require.NotEmpty(t, err.Error())
			return
		}
		for name, cfg := range loaded.Pipelines {
			p, err := pipeline.New(name, cfg, pipeline.WithBase(ok))
			if err != nil {
				require.NotEmpty(t, err.Error()) // a store that nobody handed in, for example
				continue
			}
			require.NotEmpty(t, p.String())
			require.Len(t, p.Report(), len(cfg.Order))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			resp, err := p.RoundTrip(request(t, ctx, "GET", "http://api.example.com/"))
			if err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
			}
			cancel()
			stopping, stop := context.WithTimeout(t.Context(), time.Second)
			require.NoError(t, p.Stop(stopping))
			stop()
		}
	})
}
