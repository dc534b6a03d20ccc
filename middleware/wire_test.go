package middleware_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// serve starts a loopback server and gives a client whose transport is a chain with an attempt over it.
func serve(t *testing.T, http2 bool, rec *recorder, handler http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = quiet
	if http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	base := server.Client().Transport
	client := &http.Client{Transport: middleware.Chain(base, watching(rec, 1, 0), oneAttempt, watching(rec, 2, 0))}
	t.Cleanup(client.CloseIdleConnections)
	return client, server.URL
}

func TestOverTheWire(t *testing.T) {
	for _, proto := range []struct {
		name  string
		http2 bool
		major int
	}{{"HTTP1", false, 1}, {"HTTP2", true, 2}} {
		t.Run(proto.name, func(t *testing.T) {
			t.Run("a long body reads fully, with its trailer", func(t *testing.T) {
				var rec recorder
				client, url := serve(t, proto.http2, &rec, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Trailer", "X-Sum")
					for range 64 {
						_, _ = io.WriteString(w, strings.Repeat("x", 8<<10))
					}
					w.Header().Set("X-Sum", "42")
				})
				resp, err := client.Get(url)
				require.NoError(t, err)
				require.Equal(t, proto.major, resp.ProtoMajor)
				n, err := io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				require.EqualValues(t, 512<<10, n)
				require.Equal(t, "42", resp.Trailer.Get("X-Sum"))
				require.Equal(t, []uint64{2, 1}, rec.tokens())
				require.NoError(t, resp.Body.Close())
				require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict)
			})
			t.Run("the end of a body does not close its connection", func(t *testing.T) {
				var rec recorder
				connections := map[string]bool{}
				client, url := serve(t, proto.http2, &rec, func(w http.ResponseWriter, r *http.Request) {
					connections[r.RemoteAddr] = true
					_, _ = io.WriteString(w, "ok")
				})
				for range 10 {
					resp, err := client.Get(url)
					require.NoError(t, err)
					_, err = io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.NoError(t, resp.Body.Close())
				}
				require.Len(t, connections, 1)
				require.Len(t, rec.tokens(), 20)
			})
			t.Run("HEAD and 204 are over with their headers", func(t *testing.T) {
				var rec recorder
				client, url := serve(t, proto.http2, &rec, func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodGet {
						w.WriteHeader(http.StatusNoContent)
						return
					}
					w.Header().Set("Content-Length", "1000")
				})
				resp, err := client.Head(url)
				require.NoError(t, err)
				require.EqualValues(t, 1000, resp.ContentLength)
				require.Equal(t, []uint64{2, 1}, rec.tokens())
				resp, err = client.Get(url)
				require.NoError(t, err)
				require.Equal(t, http.StatusNoContent, resp.StatusCode)
				require.Equal(t, []uint64{2, 1, 2, 1}, rec.tokens())
			})
			t.Run("resp.Request is the caller's and its body is closed", func(t *testing.T) {
				var rec recorder
				client, url := serve(t, proto.http2, &rec, func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
				})
				body := &countingBody{Reader: strings.NewReader("question")}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
				require.NoError(t, err)
				resp, err := client.Transport.RoundTrip(req)
				require.NoError(t, err)
				require.Same(t, req, resp.Request)
				require.Same(t, body, req.Body)
				require.NoError(t, resp.Body.Close())
				require.Eventually(t, func() bool { return body.closed.Load() > 0 }, 5*time.Second, time.Millisecond, "HTTP/2 closes it in a goroutine of its own")
			})
			t.Run("a caller who cancels and leaves gets the slot back", func(t *testing.T) {
				var rec recorder
				client, url := serve(t, proto.http2, &rec, func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.WriteString(w, "part")
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				})
				ctx, cancel := context.WithCancel(t.Context())
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
				require.NoError(t, err)
				settled := make(chan middleware.End, 1)
				rt := middleware.Chain(client.Transport, watching(settlerFunc(func(end middleware.End) { settled <- end }), 3, 0))
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				cancel()
				require.Equal(t, middleware.Neutral, (<-settled).Outcome.Verdict)
				_, err = io.ReadAll(resp.Body)
				require.ErrorIs(t, err, context.Canceled)
				require.NoError(t, resp.Body.Close())
			})
			t.Run("a body that the server breaks off is a failure", func(t *testing.T) {
				var rec recorder
				client, url := serve(t, proto.http2, &rec, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Length", "1000")
					_, _ = io.WriteString(w, "part")
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				})
				resp, err := client.Get(url)
				require.NoError(t, err)
				_, err = io.ReadAll(resp.Body)
				require.Error(t, err)
				for _, token := range []uint64{1, 2} {
					end := rec.once(t, token)
					require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonBody, Status: 200}, end.Outcome)
					require.ErrorIs(t, end.Err, err)
				}
				require.NoError(t, resp.Body.Close())
			})
		})
	}
}

type settlerFunc func(middleware.End)

func (f settlerFunc) Settle(_ uint64, end middleware.End) { f(end) }

func TestAnUpgradedConnectionCanBeWrittenTo(t *testing.T) {
	var rec recorder
	client, url := serve(t, false, &rec, func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				_, _ = io.WriteString(conn, "bye\n")
				return
			}
			_, _ = io.WriteString(conn, line)
		}
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err := client.Transport.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	conn, ok := resp.Body.(io.ReadWriteCloser)
	require.True(t, ok, "the body stays writable")
	lines := bufio.NewReader(conn)
	for _, line := range []string{"one\n", "two\n"} {
		_, err = io.WriteString(conn, line)
		require.NoError(t, err)
		got, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, line, got)
	}
	require.Empty(t, rec.tokens(), "it lasts as long as the connection")

	half, ok := resp.Body.(interface{ CloseWrite() error })
	require.True(t, ok, "and can be closed in one direction, as httputil.ReverseProxy does")
	require.NoError(t, half.CloseWrite())
	got, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "bye\n", got)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, []uint64{2, 1}, rec.tokens())
	require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict)
}

func TestAnUpgradeWhoseBaseCannotCloseOneDirection(t *testing.T) {
	var rec recorder
	type plain struct {
		io.ReadCloser
		io.Writer
	}
	base := answer(101, func(req *http.Request) io.ReadCloser { return plain{text("")(req), io.Discard} })
	resp, err := middleware.Chain(base, watching(&rec, 1, 0)).RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	err = resp.Body.(interface{ CloseWrite() error }).CloseWrite()
	require.ErrorIs(t, err, http.ErrNotSupported)
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.NoError(t, resp.Body.Close())
}

func TestARedirectIsTwoCalls(t *testing.T) {
	var rec recorder
	client, url := serve(t, false, &rec, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
			return
		}
		_, _ = fmt.Fprint(w, "there")
	})
	resp, err := client.Get(url)
	require.NoError(t, err)
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "there", string(content))
	require.NoError(t, resp.Body.Close())
	require.Equal(t, []uint64{2, 1, 2, 1}, rec.tokens())
}

func TestAnUntrustedServerIsTheRequestsFault(t *testing.T) {
	var rec recorder
	_, url := serve(t, true, &rec, func(http.ResponseWriter, *http.Request) {})
	base := &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	defer base.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	_, err = middleware.Chain(base, watching(&rec, 1, 0)).RoundTrip(req)
	require.Error(t, err)
	require.Equal(t, middleware.Outcome{
		Verdict: middleware.Invalid, Reason: middleware.ReasonCertificate, Processing: middleware.NeverSent,
	}, rec.once(t, 1).Outcome)
}
