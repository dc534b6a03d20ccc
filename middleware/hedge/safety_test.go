package hedge_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

// Requirement 20: a hedge is sent only for a replayable and safe (or opted-in) request.
func TestWhichRequestsMayHaveACopy(t *testing.T) {
	plain := func(*http.Request) {}
	for _, tt := range []struct {
		name   string
		method string
		change func(*http.Request)
		config func(*hedge.Config)
		ctx    func(context.Context) context.Context
		want   bool
	}{
		{name: "GET", method: "GET", want: true},
		{name: "no method, which is GET", method: "", change: func(r *http.Request) { r.Method = "" }, want: true},
		{name: "HEAD", method: "HEAD", want: true},
		{name: "OPTIONS", method: "OPTIONS", want: true},
		{name: "QUERY with a body", method: "QUERY", change: withBody(10, true), want: true},
		{name: "POST", method: "POST", change: withBody(10, true)},
		{name: "PUT, idempotent but not safe", method: "PUT"},
		{name: "DELETE", method: "DELETE"},
		{name: "POST with an Idempotency-Key", method: "POST", change: func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }},
		{name: "POST that the call allows", method: "POST", change: withBody(10, true), ctx: hedge.Allow, want: true},
		{name: "POST that the configuration allows", method: "POST", change: withBody(10, true), config: func(c *hedge.Config) { c.NonIdempotent = true }, want: true},
		{name: "a body that was recorded", method: "QUERY", change: withBody(10, false), want: true},
		{name: "a body as long as the buffer", method: "QUERY", change: withBody(64<<10, false), want: true},
		{name: "a body longer than the buffer", method: "QUERY", change: withBody(64<<10+1, false)},
		{name: "but with GetBody", method: "QUERY", change: withBody(64<<10+1, true), want: true},
		{name: "a body of unknown length", method: "QUERY", change: func(r *http.Request) { withBody(10, false)(r); r.ContentLength = -1 }},
		{name: "no buffer", method: "QUERY", change: withBody(10, false), config: func(c *hedge.Config) { c.ReplayBuffer = 0 }},
		{name: "a GetBody that fails", method: "QUERY", change: func(r *http.Request) {
			withBody(10, true)(r)
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		}},
		{name: "a trailer", method: "QUERY", change: func(r *http.Request) { withBody(10, true)(r); r.Trailer = http.Header{"X": nil} }},
		{name: "an upgrade", method: "GET", change: func(r *http.Request) { r.Header.Set("Upgrade", "websocket") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tt.ctx != nil {
					ctx = tt.ctx(ctx)
				}
				req, err := http.NewRequestWithContext(ctx, tt.method, "http://"+key+"/", nil)
				require.NoError(t, err)
				if tt.change == nil {
					tt.change = plain
				}
				tt.change(req)
				first := step{after: 3 * time.Second, status: 200, body: "first"}
				base := does(first, step{after: time.Minute})
				stage := newStage(t, config(tt.config))
				resp, err := stage.Wrap(base).RoundTrip(req)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.NoError(t, stage.Stop(t.Context()))
				want := 1
				if tt.want {
					want = 2
				}
				require.Equal(t, want, base.attempts())
			})
		})
	}
}

// withBody gives a request a body of n bytes, with GetBody or without.
func withBody(n int, getBody bool) func(*http.Request) {
	return func(r *http.Request) {
		content := bytes.Repeat([]byte("x"), n)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(n)
		if getBody {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		}
	}
}

// Requirement 20: a fresh body each, and each of them closed.
func TestEachAttemptHasABodyOfItsOwn(t *testing.T) {
	for _, getBody := range []bool{true, false} {
		t.Run(map[bool]string{true: "from GetBody", false: "recorded"}[getBody], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var open atomic.Int32
				fresh := func() (io.ReadCloser, error) {
					open.Add(1)
					return &openBody{strings.NewReader("hello"), &open}, nil
				}
				req := request(hedge.Allow(t.Context()), t)
				req.Method, req.ContentLength = http.MethodPost, 5
				req.Body, _ = fresh()
				if getBody {
					req.GetBody = fresh
				}
				base := does(step{after: time.Minute}, step{after: time.Minute}, step{status: 200, body: "ok"})
				stage := newStage(t, config(func(c *hedge.Config) { c.MaxHedges = 2 }))
				resp, err := stage.Wrap(base).RoundTrip(req)
				require.NoError(t, err)
				require.Equal(t, "ok", text(t, resp))
				require.NoError(t, stage.Stop(t.Context()))
				require.Equal(t, []string{"hello", "hello", "hello"}, base.sent)
				require.Zero(t, open.Load(), "bodies left open")
			})
		})
	}
}

type openBody struct {
	io.Reader
	open *atomic.Int32
}

func (b *openBody) Close() error { b.open.Add(-1); return nil }

// Requirement 6: the caller's request is not modified. And nothing of it is
// used once the response has been closed, though a loser is still on its way.
func TestACallerMayChangeTheRequestAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := ""
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			if attemptOf(req) == 1 {
				time.Sleep(2 * time.Second)
				return instant.RoundTrip(req)
			}
			time.Sleep(time.Minute) // whatever its context says
			seen = req.Header.Get("X-Test") + " " + req.URL.Path
			return nil, errBroken
		})
		stage := newStage(t, config(nil))
		req := request(t.Context(), t)
		req.Header.Set("X-Test", "before")
		before := req.Clone(t.Context())
		resp, err := stage.Wrap(base).RoundTrip(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, before.Header, req.Header)
		require.Equal(t, before.URL, req.URL)
		req.Header.Set("X-Test", "after")
		req.URL.Path = "/after"
		require.NoError(t, stage.Stop(t.Context()))
		require.Equal(t, "before /v1", seen)
	})
}
