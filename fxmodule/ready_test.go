package fxmodule_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"github.com/headgate-go/headgate/fxmodule"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// The probe of docs/fx.md.
func TestAReadinessProbeAsksThePipeline(t *testing.T) {
	up := middlewaretest.New(t, middlewaretest.Always(middlewaretest.Text(http.StatusOK, "hello")))
	mux := http.NewServeMux()
	probe := func() (int, string) {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/ready", nil))
		return rec.Code, rec.Body.String()
	}
	app := fx.New(fx.NopLogger, fx.Supply(mux), configured(`
pipelines:
  search:
    order: [dns_warmup]
    stages: {dns_warmup: {hosts: ["`+up.URL+`"], connections: 3, required: true}}
    transport: {proxy: none}
`), fxmodule.Pipeline("search"),
		fx.Invoke(fx.Annotate(func(mux *http.ServeMux, p *pipeline.Pipeline) {
			mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
				if err := p.Ready(r.Context()); err != nil {
					http.Error(w, err.Error(), http.StatusServiceUnavailable)
				}
			})
		}, fx.ParamTags("", `name:"search"`))))
	require.NoError(t, app.Err())

	code, why := probe()
	require.Equal(t, http.StatusServiceUnavailable, code)
	require.Contains(t, why, dnswarmup.ErrNotStarted.Error())
	require.NoError(t, app.Start(t.Context()))
	code, _ = probe()
	require.Equal(t, http.StatusOK, code)
	require.NoError(t, up.Await(t.Context(), func(s middlewaretest.Stats) bool { return s.Connections == 3 }))
	require.NoError(t, app.Stop(t.Context()))
	code, _ = probe()
	require.Equal(t, http.StatusServiceUnavailable, code)
}
