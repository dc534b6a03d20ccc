package httpcache_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// RFC 9110, section 15.2; caching.md 17: interim responses reach the caller's
// httptrace, and nothing of them is stored. The suite of cache-tests.fyi calls its
// cases interim-102, interim-103, interim-not-cached and interim-no-header-reuse.
func TestRFC9110_15_2_InterimResponses(t *testing.T) {
	for _, status := range []int{http.StatusProcessing, http.StatusEarlyHints} {
		for _, coalesce := range []bool{true, false} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "</style.css>; rel=preload")
				w.Header().Set("X-My-Header", "test")
				w.WriteHeader(status)
				clear(w.Header())
				w.Header().Set("Cache-Control", "max-age=60")
				_, _ = io.WriteString(w, "hello")
			}))
			stage := newCache(t, func(c *httpcache.Config) { c.Coalesce = coalesce })
			client := &http.Client{Transport: stage.Wrap(server.Client().Transport)}
			for round := range 2 {
				var mu sync.Mutex
				var codes []int
				var links []string
				reused, first := 0, 0
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
						mu.Lock()
						defer mu.Unlock()
						codes, links = append(codes, code), append(links, header.Get("Link"))
						return nil
					},
					GotConn:              func(httptrace.GotConnInfo) { mu.Lock(); reused++; mu.Unlock() },
					GotFirstResponseByte: func() { mu.Lock(); first++; mu.Unlock() },
				})
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
				require.NoError(t, err)
				resp, err := client.Do(req)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				require.Equal(t, "hello", string(body))
				require.Equal(t, 200, resp.StatusCode)
				require.Empty(t, resp.Header["X-My-Header"])
				require.Empty(t, resp.Header["Link"])
				mu.Lock()
				if round == 0 {
					require.Equal(t, []int{status}, codes)
					require.Equal(t, []string{"</style.css>; rel=preload"}, links)
					require.Equal(t, []int{1, 1}, []int{reused, first})
				} else {
					require.Empty(t, codes, "it is from the cache")
					require.Zero(t, reused)
				}
				mu.Unlock()
			}
			server.CloseClientConnections()
			server.Close()
		}
	}
}
