package httpcache_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// edit does to a response what its owner may: it changes the values of its header in place.
func edit(resp *http.Response) {
	for _, h := range []http.Header{resp.Header, resp.Trailer} {
		for _, values := range h {
			for i := range values {
				values[i] = "edited"
			}
		}
	}
}

// notes answers with a field of two lines and a trailer.
func notes() *upstream {
	return &upstream{answer: func(int, *http.Request) (*http.Response, error) {
		resp := minute("")()
		resp.Header["X-Note"] = []string{"first", "second"}
		resp.Header.Set("Etag", `"v1"`)
		resp.ContentLength = -1
		resp.Body = io.NopCloser(strings.NewReader("body"))
		resp.Trailer = http.Header{"X-Sum": {"sum"}}
		return resp, nil
	}}
}

func TestAnEditInPlaceChangesNobodyElsesAnswer(t *testing.T) {
	for name, before := range map[string]bool{"before the body is read": true, "after": false} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, change func(*httpcache.Config)) {
				rt := middleware.Chain(notes(), newCache(t, change).Wrap)
				for range 3 { // a miss and two hits
					req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, pageURL, nil)
					resp, err := rt.RoundTrip(req)
					require.NoError(t, err)
					require.Equal(t, []string{"first", "second"}, resp.Header["X-Note"])
					require.Equal(t, `"v1"`, resp.Header.Get("Etag"))
					if before {
						edit(resp)
					}
					body, err := io.ReadAll(resp.Body)
					require.NoError(t, err)
					require.Equal(t, "body", string(body))
					require.NoError(t, resp.Body.Close())
					if !before {
						require.Equal(t, "sum", resp.Trailer.Get("X-Sum"))
					}
					edit(resp)
				}
			})
		})
	}
}

// What one does to a header that another is given too would be a race.
func TestEditsInPlaceAtTheSameTime(t *testing.T) {
	rt := middleware.Chain(notes(), newCache(t, nil).Wrap)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, pageURL, nil)
				resp, err := rt.RoundTrip(req)
				if err != nil || resp.Header["X-Note"][1] != "second" {
					t.Error("somebody else's edit", err)
					return
				}
				edit(resp)
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
}
