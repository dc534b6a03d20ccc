package middleware_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/headgate-go/headgate/middleware"
)

// outcomeOf sends req with base and classifies the error that comes back.
func outcomeOf(t *testing.T, base *http.Transport, req *http.Request) (middleware.Outcome, error) {
	t.Helper()
	defer base.CloseIdleConnections()
	resp, err := base.RoundTrip(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	require.Error(t, err)
	return middleware.Classify(nil, err), err
}

// loopback accepts connections and hands each to serve; it gives the address.
func loopback(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serve(conn)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

func dialOutcome() middleware.Outcome {
	return middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDial, Processing: middleware.NeverSent}
}

func TestClassifyWhatNetHTTPReallyReturns(t *testing.T) {
	get := func(t *testing.T, url string) *http.Request {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		return req
	}
	broken := middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection}
	unsendable := middleware.Outcome{Verdict: middleware.Invalid, Reason: middleware.ReasonRequest, Processing: middleware.NeverSent}

	t.Run("a refused connection", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		o, err := outcomeOf(t, &http.Transport{}, get(t, "http://"+listener.Addr().String()))
		require.Equal(t, dialOutcome(), o, err)
	})
	t.Run("a connection that is reset before the headers", func(t *testing.T) {
		addr := loopback(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1024))
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		})
		o, err := outcomeOf(t, &http.Transport{}, get(t, "http://"+addr))
		require.Equal(t, broken, o, err)
	})
	t.Run("a connection that is closed before the headers", func(t *testing.T) {
		addr := loopback(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1024))
			_ = conn.Close()
		})
		o, err := outcomeOf(t, &http.Transport{}, get(t, "http://"+addr))
		require.Equal(t, broken, o, err)
	})
	t.Run("an answer that is not HTTP", func(t *testing.T) {
		addr := loopback(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n\r\n")
			_ = conn.Close()
		})
		o, err := outcomeOf(t, &http.Transport{}, get(t, "http://"+addr))
		require.Equal(t, broken, o, err)
	})
	t.Run("a TLS handshake that takes too long", func(t *testing.T) {
		var conns []net.Conn
		t.Cleanup(func() { // after the listener's own
			for _, conn := range conns {
				_ = conn.Close()
			}
		})
		addr := loopback(t, func(conn net.Conn) { conns = append(conns, conn) })
		o, err := outcomeOf(t, &http.Transport{TLSHandshakeTimeout: 20 * time.Millisecond}, get(t, "https://"+addr))
		require.Equal(t, dialOutcome(), o, err)
	})
	t.Run("headers that take too long", func(t *testing.T) {
		release := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		defer server.Close()
		defer close(release)
		o, err := outcomeOf(t, &http.Transport{ResponseHeaderTimeout: 20 * time.Millisecond}, get(t, server.URL))
		require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout}, o, err)
	})
	t.Run("a server whose certificate nobody signed", func(t *testing.T) {
		server := quietTLS(httptest.NewUnstartedServer(http.NotFoundHandler()))
		defer server.Close()
		o, err := outcomeOf(t, &http.Transport{}, get(t, server.URL))
		require.Equal(t, middleware.Outcome{Verdict: middleware.Invalid, Reason: middleware.ReasonCertificate, Processing: middleware.NeverSent}, o, err)
	})
	t.Run("a server that wants a certificate of ours", func(t *testing.T) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: version}
			quietTLS(server)
			o, err := outcomeOf(t, server.Client().Transport.(*http.Transport), get(t, server.URL))
			server.Close()
			require.Equal(t, middleware.Invalid, o.Verdict, err)
			require.Equal(t, middleware.ReasonCertificate, o.Reason, err)
			require.Equal(t, middleware.Unprocessed, o.Processing, err)
		}
	})
	t.Run("a scheme that nobody speaks", func(t *testing.T) {
		o, err := outcomeOf(t, &http.Transport{}, get(t, "gopher://127.0.0.1"))
		require.Equal(t, unsendable, o, err)
	})
	t.Run("a URL without a host", func(t *testing.T) {
		o, err := outcomeOf(t, &http.Transport{}, get(t, "http:///path"))
		require.Equal(t, unsendable, o, err)
	})
	t.Run("a header that cannot be written", func(t *testing.T) {
		req := get(t, "http://127.0.0.1:1")
		req.Header["bad name"] = []string{"x"}
		o, err := outcomeOf(t, &http.Transport{}, req)
		require.Equal(t, unsendable, o, err)
		req = get(t, "http://127.0.0.1:1")
		req.Header["Bad"] = []string{"x\ny"}
		o, err = outcomeOf(t, &http.Transport{}, req)
		require.Equal(t, unsendable, o, err)
	})
	t.Run("a method that is none", func(t *testing.T) {
		req := get(t, "http://127.0.0.1:1")
		req.Method = "BAD METHOD"
		o, err := outcomeOf(t, &http.Transport{}, req)
		require.Equal(t, unsendable, o, err)
	})
	t.Run("a request without a URL", func(t *testing.T) {
		req := get(t, "http://127.0.0.1:1")
		req.URL = nil
		o, err := outcomeOf(t, &http.Transport{}, req)
		require.Equal(t, unsendable, o, err)
	})
}

// quietTLS starts server without a word in the test's output about handshakes that fail.
func quietTLS(server *httptest.Server) *httptest.Server {
	server.Config.ErrorLog = quiet
	server.StartTLS()
	return server
}

// A server that refuses every HTTP/2 stream. net/http tries again by itself,
// with pauses of up to half a minute, where it can send the body a second time.
func TestAStreamThatIsRefusedWasNotProcessed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		body   io.Reader
		refuse func(*http2.Framer, uint32) error
		want   middleware.Verdict
	}{
		{"without a body", nil, refuseStream, middleware.Busy},
		{"with a body that can be sent again", strings.NewReader("question"), refuseStream, middleware.Busy},
		{"with a body that can be sent once", struct{ io.Reader }{strings.NewReader("question")}, refuseStream, middleware.Busy},
		{"with a body that can be sent once, to a server that goes away", struct{ io.Reader }{strings.NewReader("question")}, goAway, middleware.Failure},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := &http.Transport{
					Protocols: new(http.Protocols),
					DialContext: func(context.Context, string, string) (net.Conn, error) {
						client, server := net.Pipe()
						go refuseStreams(server, tt.refuse)
						return client, nil
					},
				}
				base.Protocols.SetUnencryptedHTTP2(true)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://upstream.test/", tt.body)
				require.NoError(t, err)
				o, err := outcomeOf(t, base, req)
				require.Equal(t, middleware.Outcome{
					Verdict: tt.want, Reason: middleware.ReasonConnection, Processing: middleware.Unprocessed,
				}, o, err)
			})
		})
	}
}

func refuseStream(framer *http2.Framer, stream uint32) error {
	return framer.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
}

func goAway(framer *http2.Framer, _ uint32) error {
	return framer.WriteGoAway(0, http2.ErrCodeNo, nil)
}

func refuseStreams(conn net.Conn, refuse func(*http2.Framer, uint32) error) {
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	frames := make(chan func() error, 64) // net.Pipe has no buffer: never write in the way of reading
	defer close(frames)
	go func() {
		for write := range frames {
			if write() != nil {
				return
			}
		}
	}()
	frames <- func() error { return framer.WriteSettings() }
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				frames <- framer.WriteSettingsAck
			}
		case *http2.HeadersFrame:
			stream := f.StreamID
			frames <- func() error { return refuse(framer, stream) }
		}
	}
}
