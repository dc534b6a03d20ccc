package httpcache_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

func withQuery(c *httpcache.Config) { c.Query = true }

// RFC 10008; caching.md 19: answers to QUERY are stored by the rules for GET, and
// the content and what describes it are part of the key.
func TestRFC10008_Query(t *testing.T) {
	json := []string{"Content-Type", "application/json"}
	for name, test := range map[string]struct {
		method, body string
		asked        []string
		hit          bool
	}{
		"the same":               {method: "QUERY", body: "a", asked: json, hit: true},
		"another content":        {method: "QUERY", body: "b", asked: json},
		"no content":             {method: "QUERY", asked: json},
		"another type":           {method: "QUERY", body: "a", asked: []string{"Content-Type", "text/plain"}},
		"another encoding":       {method: "QUERY", body: "a", asked: append([]string{"Content-Encoding", "gzip"}, json...)},
		"another language":       {method: "QUERY", body: "a", asked: append([]string{"Content-Language", "de"}, json...)},
		"another credential":     {method: "QUERY", body: "a", asked: append([]string{"Authorization", "x"}, json...)},
		"what Vary names":        {method: "QUERY", body: "a", asked: append([]string{"Accept", "text/html"}, json...)},
		"what Vary does not":     {method: "QUERY", body: "a", asked: append([]string{"User-Agent", "x"}, json...), hit: true},
		"a GET with the content": {method: "GET", body: "a", asked: json},
		"a GET":                  {method: "GET", asked: json},
	} {
		bubble(t, name, func(t *testing.T) {
			up := always(200, "x", "Cache-Control", "max-age=60", "Vary", "Accept")
			c := newClient(t, up, withQuery)
			require.Equal(t, firstMiss, c.do(t.Context(), "QUERY", pageURL, "a", json...).cached)
			require.Equal(t, []string{"a"}, up.sent)
			r := c.do(t.Context(), test.method, pageURL, test.body, test.asked...)
			require.Equal(t, test.hit, r.cached == freshHit, r.cached)
		})
	}
}

func TestQueryObeysTheRulesOfGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := sequence(
			page("old", "Cache-Control", "max-age=10, stale-while-revalidate=60", "ETag", `"a"`),
			func() *http.Response { return respond(304, "", "ETag", `"a"`) },
			func() *http.Response { return respond(204, "") },
			page("new", "Cache-Control", "no-store"),
		)
		c := newClient(t, up, withQuery)
		ask := func(header ...string) reply { return c.do(t.Context(), "QUERY", pageURL, "q", header...) }
		ask()
		time.Sleep(20 * time.Second)
		require.Equal(t, "headgate; hit; ttl=-10; detail=STALE-WHILE-REVALIDATE", ask().cached)
		synctest.Wait()
		require.Equal(t, []string{"q", "q"}, up.sent, "the refresh sends the content again")
		require.Equal(t, `"a"`, up.request(1).Header.Get("If-None-Match"))
		require.Equal(t, "headgate; hit; ttl=10", ask().cached)
		require.Equal(t, 304, ask("If-None-Match", `"a"`).status)
		require.Equal(t, "headgate; fwd=method", c.do(t.Context(), "POST", pageURL, "q").cached)
		require.Equal(t, "headgate; fwd=uri-miss; detail=NO-STORE", ask().cached, "a POST to the URL invalidates it")
	})
}

// Without the setting a QUERY passes; it is safe, so that it invalidates nothing.
func TestQueryIsOptIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, "x", "Cache-Control", "max-age=60"), nil)
		c.get()
		require.Equal(t, "headgate; fwd=method", c.do(t.Context(), "QUERY", pageURL, "q").cached)
		require.Equal(t, freshHit, c.get().cached)
	})
}

// What is too long to be a key, or in ranges, passes by.
func TestQueriesThatPassBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, func(c *httpcache.Config) { c.Query, c.MaxContentBytes = true, 3 })
		require.Equal(t, "headgate; fwd=bypass; detail=KEY-BODY-TOO-LARGE", c.do(t.Context(), "QUERY", pageURL, "long").cached)
		require.Equal(t, "headgate; fwd=bypass; detail=RANGE", c.do(t.Context(), "QUERY", pageURL, "q", "Range", "bytes=0-1").cached)
		require.Equal(t, []string{"long", "q"}, up.sent)
	})
}
