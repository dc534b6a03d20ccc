package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

func pemFile(t *testing.T, typ string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.pem")
	require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}), 0o600))
	return name
}

// clientCertificate makes a certificate and its key, in files.
func clientCertificate(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pemFile(t, "CERTIFICATE", der), pemFile(t, "PRIVATE KEY", keyDER)
}

func TestRootsAndClientCertificateComeFromFiles(t *testing.T) {
	for _, p := range []protocol{http1TLS, http2} {
		t.Run(string(p), func(t *testing.T) {
			up := newServer(p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
			}))
			up.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
			up.start(t, p)
			cfg := transport.DefaultConfig()
			cfg.TLS.RootFiles = []string{pemFile(t, "CERTIFICATE", up.Certificate().Raw)}
			cfg.TLS.CertFile, cfg.TLS.KeyFile = clientCertificate(t, "the client")
			tr := newTransport(t, cfg)
			body, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err)
			require.Equal(t, "the client", body)
			require.NoError(t, tr.Warm(t.Context(), up.URL, 1))

			cfg.TLS.RootFiles, cfg.TLS.CertFile, cfg.TLS.KeyFile = nil, "", ""
			_, _, err = get(t.Context(), newTransport(t, cfg), up.URL)
			require.Error(t, err, "without the files the server is not trusted")
		})
	}
}

func TestFilesThatCantBeUsedFailTheConnectionAndAreNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*transport.TLSConfig)
		want   string
	}{
		"no roots there":       {func(c *transport.TLSConfig) { c.RootFiles = []string{"/nowhere/ca.pem"} }, "/nowhere/ca.pem"},
		"no certificate in it": {func(c *transport.TLSConfig) { c.RootFiles = []string{pemFile(t, "OTHER", nil)} }, "no certificate in PEM form"},
		"no client's there":    {func(c *transport.TLSConfig) { c.CertFile, c.KeyFile = "/nowhere/c.pem", "/nowhere/k.pem" }, "tls.cert_file"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := transport.DefaultConfig()
			tc.change(&cfg.TLS)
			var events recorder
			tr := newTransport(t, cfg, transport.WithEvents(events.add))
			var terr *transport.Error
			err := tr.Warm(t.Context(), "127.0.0.1:1", 1)
			require.ErrorAs(t, err, &terr)
			require.Equal(t, transport.PhaseHandshake, terr.Phase)
			require.ErrorContains(t, err, tc.want)
			_, _, err = get(t.Context(), tr, "https://127.0.0.1:1")
			require.ErrorContains(t, err, tc.want)
			require.EqualValues(t, 2, tr.Stats().Connections.Failed)
			failed := events.of(transport.EventFailed)
			require.Len(t, failed, 2)
			require.True(t, failed[0].Warmed)
			require.False(t, failed[1].Warmed)
			require.Equal(t, "127.0.0.1:1", failed[1].Host)
		})
	}
}

func TestLowestTLSVersionHolds(t *testing.T) {
	up := newServer(http1TLS, text("ok"))
	up.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
	up.start(t, http1TLS)
	cfg := transport.DefaultConfig()
	_, _, err := get(t.Context(), newTransport(t, cfg, trusts(up)), up.URL)
	require.NoError(t, err)
	cfg.TLS.MinVersion = "1.3"
	_, _, err = get(t.Context(), newTransport(t, cfg, trusts(up)), up.URL)
	require.ErrorContains(t, err, "protocol version")
}

func TestServerNameIsWhatCertificatesMustBeFor(t *testing.T) {
	up := serve(t, http2, text("ok"))
	cfg := transport.DefaultConfig()
	cfg.TLS.ServerName = "example.com" // httptest's certificate has it
	_, _, err := get(t.Context(), newTransport(t, cfg, trusts(up)), up.URL)
	require.NoError(t, err)
	cfg.TLS.ServerName = "other.test"
	_, _, err = get(t.Context(), newTransport(t, cfg, trusts(up)), up.URL)
	require.ErrorContains(t, err, "other.test")
}

func TestAllConnectionsGoToTheUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	up := newServer(http1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello "+r.Host) }))
	up.Listener.Close()
	up.Listener = l
	up.start(t, http1)
	cfg := transport.DefaultConfig()
	cfg.UnixSocket = path
	tr := newTransport(t, cfg)
	require.NoError(t, tr.Warm(t.Context(), "http://api.invalid", 2))
	body, _, err := get(t.Context(), tr, "http://api.invalid/x")
	require.NoError(t, err)
	require.Equal(t, "hello api.invalid", body)
	require.EqualValues(t, 2, up.conns.Load())
	require.Zero(t, tr.Stats().DNS.Lookups)
}

func TestH2COverARealServer(t *testing.T) {
	up := newServer(http1, text("ok"))
	up.Config.Protocols = new(http.Protocols)
	up.Config.Protocols.SetUnencryptedHTTP2(true)
	up.start(t, http1)
	cfg := transport.DefaultConfig()
	cfg.H2C = true
	tr := newTransport(t, cfg)
	require.NoError(t, tr.Warm(t.Context(), up.URL, 4))
	require.NoError(t, tr.Warm(t.Context(), up.URL, 4))
	_, _, err := get(t.Context(), tr, up.URL)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", atOnce(t, tr, up.URL, 8))
	require.EqualValues(t, 1, up.conns.Load())
}

func TestProxyOfTheSettingsAndItsExceptions(t *testing.T) {
	proxy, conns, _ := forwardProxy(t)
	up := serve(t, http1, text("direct"))
	cfg := transport.DefaultConfig()
	cfg.Proxy = proxy.String()
	cfg.NoProxy = []string{"127.0.0.0/8"}
	tr := newTransport(t, cfg)
	require.NoError(t, tr.Warm(t.Context(), "http://upstream.invalid", 1))
	body, _, err := get(t.Context(), tr, "http://upstream.invalid/hello")
	require.NoError(t, err)
	require.Equal(t, "proxied http://upstream.invalid/hello", body)
	require.EqualValues(t, 1, conns.Load())
	body, _, err = get(t.Context(), tr, up.URL)
	require.NoError(t, err)
	require.Equal(t, "direct", body)

	cfg.Proxy = "none"
	require.NoError(t, cfg.Validate())
	_, _, err = get(t.Context(), newTransport(t, cfg), "http://upstream.invalid/hello")
	require.Error(t, err)
	require.EqualValues(t, 1, conns.Load())
}
