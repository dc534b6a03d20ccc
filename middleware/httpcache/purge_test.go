package httpcache_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

const apiURL = "http://api.example.com"

// tagged answers with the tags that the request's path names.
func tagged() *upstream {
	return &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
		return respond(200, "hello", "Cache-Control", "max-age=60", "Cache-Tag", strings.TrimPrefix(req.URL.Path, "/tags/")), nil
	}}
}

func (c *client) hit(ctx context.Context, url string, header ...string) bool {
	c.t.Helper()
	return strings.HasPrefix(c.do(ctx, "GET", url, "", header...).cached, "headgate; hit")
}

func TestPurgeOfARequestIsOfItsURLForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(tagged(), stage.Wrap)}
		spaces := []context.Context{t.Context(), httpcache.Namespace(t.Context(), "n")}
		all := func() (hits int) {
			for _, ctx := range spaces {
				for _, credential := range []string{"a", "b"} {
					if c.hit(ctx, pageURL, "Authorization", credential) {
						hits++
					}
				}
			}
			return hits
		}
		require.Zero(t, all())
		c.do(t.Context(), "GET", pageURL+"/other", "")
		require.Equal(t, 4, all())
		req, _ := http.NewRequestWithContext(t.Context(), "GET", pageURL, nil)
		require.NoError(t, stage.Purge(req))
		require.Zero(t, all())
		require.True(t, c.hit(t.Context(), pageURL+"/other"))
		require.EqualValues(t, 1, stage.Stats().Purges)
	})
}

func TestPurgeOfAContentIsOfThatContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, chatRoute)
		c := &client{t, middleware.Chain(always(200, "42"), stage.Wrap)}
		c.chat("one")
		c.chat("two")
		require.NoError(t, stage.Purge(chatRequest(t, "one")))
		require.Contains(t, c.chat("two").cached, "hit")
		require.Contains(t, c.chat("one").cached, "fwd=uri-miss")
	})
}

func TestPurgeByTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, func(c *httpcache.Config) { c.TagHeader = "cache-tag" })
		c := &client{t, middleware.Chain(tagged(), stage.Wrap)}
		called := httpcache.Tags(t.Context(), "by call")
		urls := []string{apiURL + "/tags/red,round", apiURL + "/tags/red%20heavy", apiURL + "/tags/light"}
		hits := func() (out []bool) {
			for _, url := range urls {
				out = append(out, c.hit(called, url))
			}
			return out
		}
		fill := func() { hits(); require.Equal(t, []bool{true, true, true}, hits()) }
		for _, test := range []struct {
			tags []string
			want []bool
		}{
			{[]string{"red"}, []bool{false, false, true}},
			{[]string{"heavy"}, []bool{true, false, true}},
			{[]string{"round", "light"}, []bool{false, true, false}},
			{[]string{"by call"}, []bool{false, false, false}},
			{[]string{"unknown"}, []bool{true, true, true}},
			{[]string{urls[0]}, []bool{true, true, true}},
			{nil, []bool{true, true, true}},
		} {
			fill()
			require.NoError(t, stage.PurgeTags(t.Context(), test.tags...))
			require.Equal(t, test.want, hits(), "%q", test.tags)
		}
		require.Error(t, stage.PurgeTags(t.Context(), ""))
		require.Error(t, stage.PurgeTags(t.Context(), "\x00"+urls[0]))
	})
}

// What cannot be purged by its tags is not stored.
func TestAnswersWithUnusableTagsAreNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, tagged(), nil)
		for _, tags := range [][]string{{""}, {strings.Repeat("x", 257)}, make([]string, 65)} {
			r := c.do(httpcache.Tags(t.Context(), tags...), "GET", pageURL, "")
			require.Equal(t, "headgate; fwd=uri-miss; detail=TAGS", r.cached)
		}
	})
}

func TestPurgeByPrefix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(tagged(), stage.Wrap)}
		urls := []string{apiURL + "/v1/a", apiURL + "/v1/b?q=1", apiURL + "/v10", apiURL + "/", "https://api.example.com/v1/a", "http://api.example.com.evil/v1/a"}
		hits := func() (out string) {
			for _, url := range urls {
				out += map[bool]string{true: "x", false: "-"}[c.hit(t.Context(), url, "Authorization", "a")]
			}
			return out
		}
		for prefix, want := range map[string]string{
			apiURL + "/v1/":                    "--xxxx",
			apiURL + "/v1":                     "---xxx",
			"HTTP://API.example.COM:80/v1/b":   "x-xxxx",
			apiURL:                             "----xx",
			"https://api.example.com/v1/a?q=1": "xxxxxx",
			"http://other.example.com/":        "xxxxxx",
		} {
			hits()
			require.Equal(t, "xxxxxx", hits())
			require.NoError(t, stage.PurgePrefix(t.Context(), prefix))
			require.Equal(t, want, hits(), prefix)
		}
		for _, bad := range []string{"", "/v1/", "api.example.com", "http://"} {
			require.Error(t, stage.PurgePrefix(t.Context(), bad), bad)
		}
	})
}

// More prefixes than a list takes: what was purged stays purged.
func TestManyPrefixes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(tagged(), stage.Wrap)}
		for range 200 {
			require.False(t, c.hit(t.Context(), pageURL))
			require.True(t, c.hit(t.Context(), pageURL))
			require.NoError(t, stage.PurgePrefix(t.Context(), pageURL))
		}
	})
}

// What is on its way when it is purged is not stored: the tags of an answer may be news.
func TestPurgesDiscardWhatIsOnItsWay(t *testing.T) {
	for name, purge := range map[string]func(*httpcache.Cache) error{
		"by request": func(c *httpcache.Cache) error {
			req, _ := http.NewRequest("GET", pageURL, nil)
			return c.Purge(req)
		},
		"by prefix": func(c *httpcache.Cache) error { return c.PurgePrefix(context.Background(), apiURL) },
		"by tag":    func(c *httpcache.Cache) error { return c.PurgeTags(context.Background(), "red") },
	} {
		bubble(t, name, func(t *testing.T) {
			stage := newCache(t, func(c *httpcache.Config) { c.TagHeader = "Cache-Tag" })
			up := slow(func() *http.Response { return respond(200, "old", "Cache-Control", "max-age=60", "Cache-Tag", "red") })
			c := &client{t, middleware.Chain(up, stage.Wrap)}
			call := c.launch(t.Context())
			time.Sleep(500 * time.Millisecond)
			require.NoError(t, purge(stage))
			require.Equal(t, "old", (<-call).body)
			require.False(t, c.hit(t.Context(), pageURL))
			require.EqualValues(t, 1, stage.Stats().Outdated)
		})
	}
}

func TestPurgeOfAStoreThatCannotBeSearched(t *testing.T) {
	m, err := memory.New(memory.DefaultConfig())
	require.NoError(t, err)
	stage := newCache(t, nil, httpcache.WithStore(pointersOnly{m, nil}))
	require.ErrorIs(t, stage.PurgePrefix(t.Context(), apiURL), httpcache.ErrPurgeUnsupported)
	require.EqualValues(t, 1, stage.Stats().StoreErrors)
}

// pointersOnly is a PointerStore and nothing else.
type pointersOnly struct {
	store.StoreInterface
	_ any
}

func (pointersOnly) KeepsPointers() {}

func chatRequest(t *testing.T, content string) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), "POST", chatURL, strings.NewReader(content))
	require.NoError(t, err)
	req.Header.Set(jsonType[0], jsonType[1])
	return req
}
