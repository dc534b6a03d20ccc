package httpcache_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

func TestStaleGivesTheLastGoodAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(always(200, "hello", "Cache-Control", "max-age=60"), stage.Wrap)}
		req := func(ctx context.Context, header ...string) *http.Request {
			r, _ := http.NewRequestWithContext(ctx, "GET", pageURL, nil)
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			return r
		}
		_, ok := stage.Stale(req(t.Context()), time.Hour)
		require.False(t, ok, "nothing is stored")
		c.get()
		time.Sleep(time.Hour)
		resp, ok := stage.Stale(req(t.Context()), time.Hour)
		require.True(t, ok)
		require.Equal(t, "headgate; hit; ttl=-3540", resp.Header.Get("Cache-Status"))
		require.Equal(t, "3600", resp.Header.Get("Age"))
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "hello", string(b))
		require.NoError(t, resp.Body.Close())
		require.EqualValues(t, 1, stage.Stats().StaleAnswers)

		for name, r := range map[string]*http.Request{
			"no-cache":             req(t.Context(), "Cache-Control", "no-cache"),
			"no-store":             req(t.Context(), "Cache-Control", "no-store"),
			"bypass":               req(httpcache.Bypass(t.Context())),
			"refresh":              req(httpcache.Refresh(t.Context())),
			"skipped":              req(middleware.Skip(t.Context(), "cache")),
			"of another":           req(t.Context(), "Authorization", "b"),
			"of another namespace": req(httpcache.Namespace(t.Context(), "n")),
		} {
			_, ok = stage.Stale(r, 2*time.Hour)
			require.False(t, ok, name)
		}
		_, ok = stage.Stale(req(t.Context()), time.Hour-time.Second)
		require.False(t, ok, "too old")
	})
}

// RFC 9111, section 4.2.4: what forbids it is not used when it is stale.
func TestAnswersThatForbidIt(t *testing.T) {
	for directive, allowed := range map[string]bool{
		"max-age=1": true, "max-age=1, must-revalidate": false, "max-age=1, proxy-revalidate": true, "no-cache": false,
	} {
		bubble(t, directive, func(t *testing.T) {
			stage := newCache(t, nil)
			c := &client{t, middleware.Chain(always(200, "hello", "Cache-Control", directive, "ETag", `"a"`), stage.Wrap)}
			c.get()
			time.Sleep(time.Minute)
			req, _ := http.NewRequestWithContext(t.Context(), "GET", pageURL, nil)
			resp, ok := stage.Stale(req, time.Hour)
			require.Equal(t, allowed, ok)
			if ok {
				require.NoError(t, resp.Body.Close())
			}
		})
	}
}

// An error that may be stored does not drive the last good answer out.
func TestStoredErrorsAreNotTheLastGoodAnswer(t *testing.T) {
	for _, status := range []int{429, 500, 503} {
		bubble(t, http.StatusText(status), func(t *testing.T) {
			up := sequence(minute("hello"), func() *http.Response { return respond(status, "busy", "Cache-Control", "public, max-age=60") })
			stage := newCache(t, func(c *httpcache.Config) { c.MaxVariants = 2 })
			c := &client{t, middleware.Chain(up, stage.Wrap)}
			c.get()
			for range 3 {
				time.Sleep(time.Minute)
				require.Equal(t, "busy", c.get().body)
				require.Equal(t, status, c.get().status, "and is what the cache answers with while it is fresh")
			}
			require.Equal(t, 4, up.count())
			req, _ := http.NewRequestWithContext(t.Context(), "GET", pageURL, nil)
			resp, ok := stage.Stale(req, time.Hour)
			require.True(t, ok)
			require.Equal(t, 200, resp.StatusCode)
			require.NoError(t, resp.Body.Close())
		})
	}
}

func TestStaleFindsContentAndVariants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, chatRoute)
		c := &client{t, middleware.Chain(always(200, "42", "Vary", "Accept"), stage.Wrap)}
		c.chat("one", "Accept", "a")
		time.Sleep(time.Hour)
		for accept, want := range map[string]bool{"a": true, "b": false} {
			req := chatRequest(t, "one")
			req.Header.Set("Accept", accept)
			resp, ok := stage.Stale(req, 2*time.Hour)
			require.Equal(t, want, ok)
			if ok {
				require.NoError(t, resp.Body.Close())
			}
		}
		_, ok := stage.Stale(chatRequest(t, "two"), 2*time.Hour)
		require.False(t, ok)
	})
}
