package httpcache_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// RFC 9875; caching.md 19: an unsafe request invalidates the groups that its answer names.
func TestRFC9875_3_CacheGroupInvalidation(t *testing.T) {
	const a, b = "http://api.example.com/a", "http://api.example.com/b"
	for name, test := range map[string]struct {
		off                bool
		method, url, named string
		status             int
		gone               bool
	}{
		"a group of both":           {method: "POST", url: a + "/x", named: `"scripts", "none"`, status: 200, gone: true},
		"an answer that is no 2xx":  {method: "POST", url: a + "/x", named: `"scripts"`, status: 500, gone: true},
		"another group":             {method: "POST", url: a + "/x", named: `"styles"`, status: 200},
		"groups know case":          {method: "POST", url: a + "/x", named: `"Scripts"`, status: 200},
		"a safe method":             {method: "OPTIONS", url: a + "/x", named: `"scripts"`, status: 200},
		"another origin":            {method: "POST", url: "http://other.example.com/", named: `"scripts"`, status: 200},
		"another scheme":            {method: "POST", url: "https://api.example.com/", named: `"scripts"`, status: 200},
		"tokens":                    {method: "POST", url: a + "/x", named: `scripts`, status: 200},
		"it has to be switched on":  {off: true, method: "POST", url: a + "/x", named: `"scripts"`, status: 200},
		"a QUERY is a safe request": {method: "QUERY", url: a + "/x", named: `"scripts"`, status: 200},
	} {
		bubble(t, name, func(t *testing.T) {
			up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
				if req.Method != "GET" {
					return respond(test.status, "", "Cache-Group-Invalidation", test.named), nil
				}
				return respond(200, "x", "Cache-Control", "max-age=60", "Cache-Groups", `"eu", "scripts"`), nil
			}}
			c := newClient(t, up, func(c *httpcache.Config) { c.CacheGroups = !test.off })
			c.do(t.Context(), "GET", a, "")
			c.do(t.Context(), "GET", b, "")
			c.do(t.Context(), test.method, test.url, "")
			time.Sleep(time.Second) // purge_within
			for _, url := range []string{a, b} {
				require.Equal(t, test.gone, strings.Contains(c.do(t.Context(), "GET", url, "").cached, "uri-miss"), url)
			}
		})
	}
}

// A 304 and a HEAD can move an answer to other groups.
func TestGroupsFollowTheHeader(t *testing.T) {
	bubble(t, "304", func(t *testing.T) {
		up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
			switch {
			case req.Method == "POST":
				return respond(200, "", "Cache-Group-Invalidation", `"old"`), nil
			case n == 1:
				return respond(200, "x", "Cache-Control", "max-age=60", "ETag", `"a"`, "Cache-Groups", `"old"`), nil
			}
			return respond(304, "", "ETag", `"a"`, "Cache-Groups", `"new"`), nil
		}}
		c := newClient(t, up, func(c *httpcache.Config) { c.CacheGroups = true })
		c.get()
		time.Sleep(2 * time.Minute)
		c.get()
		c.do(t.Context(), "POST", "http://api.example.com/x", "")
		time.Sleep(time.Second)
		require.Contains(t, c.get().cached, "headgate; hit")
	})
}

// More groups than can be kept: the answer could not be invalidated, so it is not stored.
func TestTooManyGroups(t *testing.T) {
	for name, groups := range map[string]string{
		"too many":   strings.TrimSuffix(strings.Repeat(`"a", `, 65), ", "),
		"a long one": fmt.Sprintf("%q", strings.Repeat("a", 257)),
	} {
		bubble(t, name, func(t *testing.T) {
			up := always(200, "x", "Cache-Control", "max-age=60", "Cache-Groups", groups)
			require.Equal(t, "headgate; fwd=uri-miss; detail=TAGS", newClient(t, up, func(c *httpcache.Config) { c.CacheGroups = true }).get().cached)
		})
	}
}
