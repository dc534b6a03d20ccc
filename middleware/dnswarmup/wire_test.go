package dnswarmup_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/transport"
)

var _ middleware.Warmer = (*transport.Transport)(nil)

// 25: after Start, the first request opens no connection.
func TestTheFirstRequestFindsAConnection(t *testing.T) {
	for name, c := range map[string]struct {
		tls, http2 bool
		want       int64 // connections for the two that are asked for
	}{
		"HTTP/1.1":          {false, false, 2},
		"HTTP/1.1 over TLS": {true, false, 2},
		"HTTP/2":            {true, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var opened, requests atomic.Int64
			up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				_, _ = io.WriteString(w, "fine")
			}))
			up.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					opened.Add(1)
				}
			}
			up.EnableHTTP2 = c.http2
			roots := x509.NewCertPool()
			if c.tls {
				up.StartTLS()
				roots.AddCert(up.Certificate())
			} else {
				up.Start()
			}
			defer up.Close()

			base, err := transport.New(transport.DefaultConfig(), transport.WithTLSConfig(&tls.Config{RootCAs: roots}))
			require.NoError(t, err)
			defer base.Close()
			cfg := config(up.URL)
			cfg.Required = true
			w, err := dnswarmup.New(cfg, dnswarmup.WithWarmer(base))
			require.NoError(t, err)
			require.NoError(t, w.Start(t.Context()))
			require.Zero(t, requests.Load(), "nothing was sent")

			client := &http.Client{Transport: middleware.Chain(base, w.Wrap)}
			resp, err := client.Get(up.URL)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, "fine", string(text))
			require.Equal(t, c.want, opened.Load())
			require.NoError(t, w.Stop(t.Context()))
		})
	}
}

func TestAHostThatIsNotThere(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	base, err := transport.New(transport.DefaultConfig())
	require.NoError(t, err)
	defer base.Close()
	cfg := config(gone.URL)
	cfg.Required = true
	w, err := dnswarmup.New(cfg, dnswarmup.WithWarmer(base))
	require.NoError(t, err)
	err = w.Start(t.Context())
	require.ErrorIs(t, err, dnswarmup.ErrWarmUp)
	var refused *transport.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, transport.PhaseConnect, refused.Phase)
}
