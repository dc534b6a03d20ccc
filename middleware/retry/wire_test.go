package retry_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/retry"
)

// closings counts the bodies that were opened and closed on the way through it.
type closings struct {
	next           http.RoundTripper
	opened, closed atomic.Int64
}

func (c *closings) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	if err == nil {
		c.opened.Add(1)
		resp.Body = &countedBody{resp.Body, &c.closed}
	}
	return resp, err
}

type countedBody struct {
	io.ReadCloser
	closed *atomic.Int64
}

func (b *countedBody) Close() error { b.closed.Add(1); return b.ReadCloser.Close() }

func quick(change func(*retry.Config)) retry.Config {
	return exact(func(c *retry.Config) {
		c.BaseDelay, c.MaxAttempts = time.Millisecond, 4
		if change != nil {
			change(c)
		}
	})
}

// Requirement 1: with a single connection allowed, discarding the responses
// neither deadlocks nor, for small ones, opens a further connection.
func TestDiscardedResponsesFreeTheirConnection(t *testing.T) {
	for name, c := range map[string]struct {
		size        int
		connections int64
	}{
		"10 B":               {10, 1},
		"64 KiB, all kept":   {64 << 10, 1},
		"65 KiB, not all":    {65 << 10, 0}, // as many as it takes
		"no body at all":     {0, 1},
		"1 MiB, cut off":     {1 << 20, 0},
		"1 B, kept entirely": {1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var connections, attempts atomic.Int64
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				attempts.Add(1)
				w.WriteHeader(503)
				_, _ = w.Write(bytes.Repeat([]byte("x"), c.size))
			}))
			srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					connections.Add(1)
				}
			}
			srv.Start()
			defer srv.Close()
			base := &http.Transport{MaxConnsPerHost: 1}
			defer base.CloseIdleConnections()
			count := &closings{next: base}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)

			resp, err := newStage(t, quick(nil)).Wrap(count).RoundTrip(req)
			require.NoError(t, err)
			require.Equal(t, 503, resp.StatusCode)
			require.Len(t, text(t, resp), c.size, "the last one is untouched")
			require.EqualValues(t, 4, attempts.Load())
			require.Equal(t, count.opened.Load(), count.closed.Load(), "every body is closed")
			if c.connections > 0 {
				require.Equal(t, c.connections, connections.Load())
			}
		})
	}
}

// Requirement 7: what is too large to record is streamed, once, in flat memory.
func TestHugeBodyIsStreamedOnce(t *testing.T) {
	const size = 1 << 30
	var attempts atomic.Int64
	rt := newStage(t, quick(nil)).Wrap(roundTripper(func(req *http.Request) (*http.Response, error) {
		attempts.Add(1)
		n, err := io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
		require.NoError(t, err)
		require.EqualValues(t, size, n)
		return answer(req, 503, nil), nil
	}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body := io.LimitReader(zeros{}, size)
	req, _ := http.NewRequest("PUT", "http://a/", body)
	resp, err := rt.RoundTrip(req)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Equal(t, 503, resp.StatusCode)
	require.EqualValues(t, 1, attempts.Load())
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Requirement 2: the response of a later attempt can be read at leisure.
func TestLargeBodyOfALaterAttempt(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		var attempts atomic.Int64
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if attempts.Add(1) < 3 {
				w.WriteHeader(500)
				return
			}
			_, _ = w.Write(bytes.Repeat([]byte("y"), 512<<10))
		}))
		srv.EnableHTTP2 = h2
		srv.StartTLS()
		rt := newStage(t, quick(nil)).Wrap(srv.Client().Transport)
		req, _ := http.NewRequest("GET", srv.URL, nil)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, h2, resp.ProtoMajor == 2)
		require.Equal(t, strings.Repeat("y", 512<<10), text(t, resp))
		srv.Close()
	}
}
