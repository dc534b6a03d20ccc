package transport_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

func TestEachProtocolWorksCold(t *testing.T) {
	for p, proto := range map[protocol]string{http1: "HTTP/1.1", http1TLS: "HTTP/1.1", http2: "HTTP/2.0"} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, text("hello"))
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			var handshakes int
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{TLSHandshakeStart: func() { handshakes++ }})
			for range 3 {
				body, got, err := get(ctx, tr, up.URL)
				require.NoError(t, err)
				require.Equal(t, "hello", body)
				require.Equal(t, proto, got)
			}
			require.EqualValues(t, 1, up.conns.Load())
			if p != http1 {
				require.Equal(t, 1, handshakes, "seen by httptrace, once")
			}
		})
	}
}

func TestManyCallersKeepTheirConnections(t *testing.T) {
	const callers, rounds = 100, 10
	up := serve(t, http1, barrier(callers))
	tr := newTransport(t, transport.DefaultConfig())
	for range rounds {
		atOnce(t, tr, up.URL, callers)
	}
	require.EqualValues(t, callers*rounds, up.requests.Load())
	// A caller of the next round may be a moment ahead of the last round's
	// connection on its way back to the pool, and then dials.
	require.LessOrEqual(t, up.conns.Load(), int64(callers*12/10))
	t.Logf("%d connections for %d requests", up.conns.Load(), callers*rounds)
}

func TestMaxConnsPerHostHolds(t *testing.T) {
	up := serve(t, http1, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) }))
	cfg := transport.DefaultConfig()
	cfg.MaxConnsPerHost = 3
	tr := newTransport(t, cfg)
	require.NoError(t, tr.Warm(t.Context(), up.URL, 3))
	atOnce(t, tr, up.URL, 30)
	require.EqualValues(t, 3, up.conns.Load(), "the warmed ones count")
	require.ErrorContains(t, tr.Warm(t.Context(), up.URL, 4), "max_conns_per_host")
}

func TestResponseHeaderIsBounded(t *testing.T) {
	up := serve(t, http1, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Big", strings.Repeat("x", 4096))
	}))
	cfg := transport.DefaultConfig()
	cfg.MaxResponseHeaderBytes = 2048
	_, _, err := get(t.Context(), newTransport(t, cfg), up.URL)
	require.Error(t, err)
	_, _, err = get(t.Context(), newTransport(t, transport.DefaultConfig()), up.URL)
	require.NoError(t, err)
}

// A WebSocket needs HTTP/1.1 also where the server prefers HTTP/2, and while an
// HTTP/2 connection to it is open.
func TestWebSocketKeepsToHTTP1(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			io.WriteString(w, r.Proto)
			return
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := rw.ReadString('\n')
		io.WriteString(conn, "echo "+line)
	})
	for _, p := range []protocol{http1, http2} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, echo)
			tr := newTransport(t, transport.DefaultConfig(), trusts(up))
			require.NoError(t, tr.Warm(t.Context(), up.URL, 1))
			_, _, err := get(t.Context(), tr, up.URL)
			require.NoError(t, err)

			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, up.URL, nil)
			require.NoError(t, err)
			req.Header.Set("Connection", "keep-alive, Upgrade")
			req.Header.Set("Upgrade", "websocket")
			resp, err := tr.RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			require.Same(t, req, resp.Request)
			body, ok := resp.Body.(io.ReadWriteCloser)
			require.True(t, ok, "writable")
			fmt.Fprintln(body, "hello")
			line, err := bufio.NewReader(body).ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, "echo hello\n", line)
			require.NoError(t, body.Close())
		})
	}
}

func TestUploadArrivesWhole(t *testing.T) {
	up := serve(t, http1, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}))
	tr := newTransport(t, transport.DefaultConfig())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, up.URL, io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20))
	require.NoError(t, err)
	req.ContentLength = 1 << 20
	resp, err := tr.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "1048576", string(got))
}

// A body that the server does not want is not sent, nor read.
func TestExpectContinue(t *testing.T) {
	for _, p := range []protocol{http1, http1TLS, http2} {
		t.Run(string(p), func(t *testing.T) {
			up := serve(t, p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/refused" {
					w.WriteHeader(http.StatusExpectationFailed)
					return
				}
				_, _ = io.Copy(w, r.Body)
			}))
			cfg := transport.DefaultConfig()
			cfg.ExpectContinueTimeout = time.Minute
			tr := newTransport(t, cfg, trusts(up))
			send := func(path string) (status int, got string, read int64) {
				body := &countingReader{Reader: strings.NewReader("hello")}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, up.URL+path, body)
				require.NoError(t, err)
				req.Header.Set("Expect", "100-continue")
				resp, err := tr.RoundTrip(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				b, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return resp.StatusCode, string(b), body.read.Load()
			}
			status, got, read := send("/wanted")
			require.Equal(t, "200 hello 5", fmt.Sprint(status, " ", got, " ", read))
			status, _, read = send("/refused")
			require.Equal(t, http.StatusExpectationFailed, status)
			require.Zero(t, read)
		})
	}
}

type countingReader struct {
	io.Reader
	read atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func TestSafeForManyGoroutines(t *testing.T) {
	up := serve(t, http2, text("ok"))
	plain := serve(t, http1, text("ok"))
	tr := newTransport(t, transport.DefaultConfig(), trusts(up))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 20 {
				for _, url := range []string{up.URL, plain.URL} {
					if err := tr.Warm(t.Context(), url, 1+i%4); err != nil {
						t.Error(err)
					}
					if _, _, err := get(t.Context(), tr, url); err != nil {
						t.Error(err)
					}
				}
				if i%7 == 6 {
					tr.CloseIdleConnections()
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, tr.Stop(context.Background()))
}
