package hedge_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// brown is an upstream on loopback whose every first answer to a path hangs
// until its client leaves; it counts these. Others get 512 KiB.
type brown struct {
	*httptest.Server
	seen sync.Map
	left atomic.Int64
}

func newBrown(t *testing.T, http2 bool) (*brown, *http.Transport) {
	b := &brown{}
	b.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		if _, again := b.seen.LoadOrStore(r.URL.Path, true); !again {
			<-r.Context().Done()
			b.left.Add(1)
			return
		}
		if len(content) > 0 {
			_, _ = w.Write(content)
			return
		}
		_, _ = w.Write(bytes.Repeat([]byte("x"), 512<<10))
	}))
	base := &http.Transport{}
	if http2 {
		b.EnableHTTP2 = true
		b.StartTLS()
		base = b.Client().Transport.(*http.Transport)
	} else {
		b.Start()
	}
	t.Cleanup(func() {
		base.CloseIdleConnections()
		b.Close()
	})
	return b, base
}

func protocols(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1.1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// Requirements 2 and 20: the winner's context lives until its body ends, and
// the loser is cancelled.
func TestAWinnersBodyReadsFully(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		up, base := newBrown(t, http2)
		stage := newStage(t, config(func(c *hedge.Config) { c.Delay = 20 * time.Millisecond }))
		for name, rt := range map[string]http.RoundTripper{
			"alone":        stage.Wrap(base),
			"in a chain":   middleware.Chain(base, stage.Wrap),
			"inside retry": middleware.Chain(base, middlewaretest.Attempting, stage.Wrap),
		} {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", up.URL+"/"+name, nil)
			resp, err := rt.RoundTrip(req)
			require.NoError(t, err, name)
			time.Sleep(10 * time.Millisecond) // what would cancel the body has time to do so
			require.Len(t, text(t, resp), 512<<10, name)
		}
		require.NoError(t, stage.Stop(t.Context()))
		require.Eventually(t, func() bool { return up.left.Load() == 3 }, 10*time.Second, time.Millisecond, "the losers' requests are cancelled")
	})
}

// Requirement 20: hedgedhttp sends copies of a POST with an empty body.
func TestACopyOfAPostHasItsBody(t *testing.T) {
	protocols(t, func(t *testing.T, http2 bool) {
		up, base := newBrown(t, http2)
		stage := newStage(t, config(func(c *hedge.Config) { c.Delay = 20 * time.Millisecond }))
		client := &http.Client{Transport: stage.Wrap(base)}
		content := bytes.Repeat([]byte("hello "), 10_000)
		for _, getBody := range []bool{true, false} {
			req, _ := http.NewRequestWithContext(hedge.Allow(t.Context()), "POST", up.URL, bytes.NewReader(content))
			req.URL.Path = map[bool]string{true: "/with", false: "/without"}[getBody]
			if !getBody {
				req.GetBody = nil
			}
			resp, err := client.Do(req)
			require.NoError(t, err)
			require.Equal(t, string(content), text(t, resp))
		}
		require.EqualValues(t, 2, stage.Stats().Keys[0].Sent)
		require.NoError(t, stage.Stop(t.Context()))
	})
}

// A failed answer that waits for a copy must not hold the only connection, or
// the copy would wait for it.
func TestAFailedAnswerThatWaitsFreesItsConnection(t *testing.T) {
	var requests atomic.Int64
	copied := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			<-copied
			http.Error(w, "oops", http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, "copy")
	}))
	defer srv.Close()
	base := &http.Transport{MaxConnsPerHost: 1}
	defer base.CloseIdleConnections()
	stage := newStage(t, config(func(c *hedge.Config) { c.Delay = 10 * time.Millisecond }))
	rt := stage.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if attemptOf(req) == 2 {
			close(copied)
		}
		return base.RoundTrip(req)
	}))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Equal(t, "copy", text(t, resp))
	require.NoError(t, stage.Stop(t.Context()))
}
