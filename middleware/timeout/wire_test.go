package timeout_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// The limits over real connections: each with an answer that never reaches what it waits for.
func TestOverTheWire(t *testing.T) {
	hangs := middlewaretest.Answer{Body: []byte(token + token), Chunked: true, Fault: middlewaretest.HangBody, After: len(token)}
	silent := hangs
	silent.After = 0
	alives := middlewaretest.Answer{Stream: middlewaretest.Repeat(-1, middlewaretest.Chunk{Gap: 10 * time.Millisecond, Data: alive})}
	for _, tt := range []struct {
		name   string
		until  string
		answer middlewaretest.Answer
		below  []middleware.Middleware
		got    string
	}{
		{"no headers", timeout.UntilHeaders, middlewaretest.Answer{Fault: middlewaretest.HangHeaders}, nil, ""},
		{"no content", timeout.UntilContent, silent, nil, ""},
		{"silence", timeout.UntilProgress, hangs, nil, token},
		{"keep-alives for ever", timeout.UntilProgress, alives, []middleware.Middleware{provider}, alive},
		{"no end", timeout.UntilBody, alives, nil, alive},
	} {
		for _, http2 := range []bool{false, true} {
			name := tt.name + ", HTTP/1.1"
			if http2 {
				name = tt.name + ", HTTP/2"
			}
			t.Run(name, func(t *testing.T) {
				const limit = 200 * time.Millisecond
				up := middlewaretest.New(t, middlewaretest.Always(tt.answer), func(c *middlewaretest.Config) { c.TLS, c.HTTP2 = http2, http2 })
				base := up.Transport()
				t.Cleanup(base.CloseIdleConnections)
				s := newStage(t, limit, tt.until, nil)
				rt := middleware.Chain(base, append([]middleware.Middleware{s.Wrap}, tt.below...)...)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, up.URL, nil)
				require.NoError(t, err)
				start := time.Now()
				resp, err := rt.RoundTrip(req)
				var body []byte
				if err == nil {
					body, err = io.ReadAll(resp.Body)
					require.NoError(t, resp.Body.Close())
				}
				requireTimedOut(t, timedOut(limit, tt.until), err)
				require.GreaterOrEqual(t, time.Since(start), limit)
				if tt.got != "" {
					require.Contains(t, string(body), tt.got)
				} else {
					require.Empty(t, body)
				}
				require.Eventually(t, func() bool { return s.Stats().TimedOut == 1 }, 10*time.Second, time.Millisecond)
			})
		}
	}
}
