package httpcache_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

// RFC 9111, section 4.3; caching.md 8 and 9: a stale answer is asked about with
// its own validators and the caller's, and each gets what is right for it.
func TestRFC9111_4_3_2_CallersConditionsAreMerged(t *testing.T) {
	const (
		lm    = "Thu, 20 Nov 1997 10:00:00 GMT"
		later = "Thu, 20 Nov 1998 10:00:00 GMT"
		early = "Thu, 20 Nov 1996 10:00:00 GMT"
	)
	both := []string{"ETag", `"a"`, "Last-Modified", lm}
	confirmed := func() *http.Response { return respond(304, "", "ETag", `"a"`) }
	type sent struct{ match, since string }
	for name, test := range map[string]struct {
		stored, asked []string
		then          func() *http.Response
		sent          []sent // besides the first
		status        int
		body          string
		freshened     bool
	}{
		"no conditions":                         {stored: both, then: confirmed, sent: []sent{{`"a"`, lm}}, status: 200, body: "old", freshened: true},
		"the same tag":                          {stored: both, asked: []string{"If-None-Match", `"a"`}, then: confirmed, sent: []sent{{`"a"`, lm}}, status: 304, freshened: true},
		"a weak form of it":                     {stored: both, asked: []string{"If-None-Match", `W/"a"`}, then: confirmed, sent: []sent{{`W/"a"`, lm}}, status: 304, freshened: true},
		"another tag, ours is confirmed":        {stored: both, asked: []string{"If-None-Match", `"b"`}, then: confirmed, sent: []sent{{`"b", "a"`, lm}}, status: 200, body: "old", freshened: true},
		"another tag, that one is confirmed":    {stored: both, asked: []string{"If-None-Match", `"b", "c"`}, then: func() *http.Response { return respond(304, "", "ETag", `"c"`) }, sent: []sent{{`"b", "c", "a"`, lm}}, status: 304},
		"nothing is confirmed":                  {stored: both, asked: []string{"If-None-Match", `"b"`}, then: page("new", "ETag", `"d"`, "Cache-Control", "max-age=60"), sent: []sent{{`"b", "a"`, lm}}, status: 200, body: "new", freshened: true},
		"a date, as old as ours":                {stored: both, asked: []string{"If-Modified-Since", lm}, then: confirmed, sent: []sent{{`"a"`, lm}}, status: 304, freshened: true},
		"a date, older than ours":               {stored: both, asked: []string{"If-Modified-Since", early}, then: confirmed, sent: []sent{{`"a"`, lm}}, status: 200, body: "old", freshened: true},
		"a date, younger than ours":             {stored: both, asked: []string{"If-Modified-Since", later}, then: confirmed, sent: []sent{{`"a"`, lm}}, status: 304, freshened: true},
		"any tag is the caller's alone":         {stored: both, asked: []string{"If-None-Match", `*`}, then: func() *http.Response { return respond(304, "", "ETag", `"a"`) }, sent: []sent{{`*`, ""}}, status: 304},
		"what can't be read, too":               {stored: both, asked: []string{"If-None-Match", `b`}, then: func() *http.Response { return respond(304, "") }, sent: []sent{{`b`, ""}}, status: 304},
		"a 304 that says nothing":               {stored: both, then: func() *http.Response { return respond(304, "") }, sent: []sent{{`"a"`, lm}}, status: 200, body: "old", freshened: true},
		"a 304 with our date":                   {stored: []string{"Last-Modified", lm}, then: func() *http.Response { return respond(304, "", "Last-Modified", lm) }, sent: []sent{{"", lm}}, status: 200, body: "old", freshened: true},
		"a 304 about something else: ask again": {stored: both, then: func() *http.Response { return respond(304, "", "ETag", `"z"`) }, sent: []sent{{`"a"`, lm}, {"", ""}}, status: 304},
	} {
		for _, coalesce := range []bool{true, false} {
			bubble(t, name, func(t *testing.T) {
				up := sequence(page("old", append([]string{"Cache-Control", "max-age=60"}, test.stored...)...), test.then)
				c := newClient(t, up, func(c *httpcache.Config) { c.Coalesce = coalesce })
				c.get()
				time.Sleep(2 * time.Minute)
				r := c.get(test.asked...)
				require.Equal(t, test.status, r.status, r.cached)
				require.Equal(t, test.body, r.body)
				var got []sent
				for i := 1; i < up.count(); i++ {
					h := up.request(i).Header
					got = append(got, sent{h.Get("If-None-Match"), h.Get("If-Modified-Since")})
				}
				require.Equal(t, test.sent, got)
				n := up.count()
				c.get()
				require.Equal(t, test.freshened, up.count() == n, "a fresh answer is stored")
			})
		}
	}
}

// RFC 9111, sections 4.1 and 4.3.1; caching.md 8: for a request that selects none of
// the variants, the upstream may say which of them is the answer.
func TestRFC9111_4_1_AllVariantsAreOffered(t *testing.T) {
	variant := func(body, tag string) func() *http.Response {
		return page(body, "Cache-Control", "max-age=60", "Vary", "Accept", "ETag", tag)
	}
	for name, test := range map[string]struct {
		then  func() *http.Response
		asked []string
		sent  int
		body  string
		want  string
	}{
		"one is it": {
			then: func() *http.Response { return respond(304, "", "ETag", `"1"`, "Vary", "Accept") },
			sent: 1, body: "one", want: "headgate; fwd=vary-miss; fwd-status=304; stored; ttl=60",
		},
		"none is": {then: variant("four", `"4"`), sent: 1, body: "four", want: "headgate; fwd=vary-miss; stored; ttl=60"},
		"one that was not offered": {
			then: func() *http.Response { return respond(304, "", "ETag", `W/"3"`) },
			sent: 2, body: "four", want: "headgate; fwd=vary-miss; stored; ttl=60",
		},
		"it does not say which": {
			then: func() *http.Response { return respond(304, "") },
			sent: 2, body: "four", want: "headgate; fwd=vary-miss; stored; ttl=60",
		},
	} {
		for _, coalesce := range []bool{true, false} {
			bubble(t, name, func(t *testing.T) {
				up := sequence(variant("one", `"1"`), variant("two", `"2"`), variant("weak", `W/"3"`), page("none", "Cache-Control", "max-age=60", "Vary", "Accept"),
					test.then, variant("four", `"4"`))
				c := newClient(t, up, func(c *httpcache.Config) { c.Coalesce = coalesce })
				for _, accept := range []string{"1", "2", "3", "4"} {
					c.get("Accept", accept)
				}
				require.Equal(t, `"2", "1"`, up.request(2).Header.Get("If-None-Match"))
				r := c.get("Accept", "5")
				require.Equal(t, test.body, r.body)
				require.Equal(t, test.want, r.cached)
				require.Equal(t, 4+test.sent, up.count())
				require.Equal(t, `"2", "1"`, up.request(4).Header.Get("If-None-Match"), "strong ones, the newest first")
				require.Equal(t, test.body, c.get("Accept", "5").body)
				require.Equal(t, "one", c.get("Accept", "1").body, "the others are as they were")
				require.Equal(t, 4+test.sent, up.count())
			})
		}
	}
}

// RFC 9111, section 4.3.5; caching.md 10: the answer to a HEAD makes the stored
// answer to a GET fresh if what both say agrees, and stale if it does not. It
// never makes an answer to a GET.
func TestRFC9111_4_3_5_Head(t *testing.T) {
	const lm = "Thu, 20 Nov 1997 10:00:00 GMT"
	for name, test := range map[string]struct {
		stored []string
		status int
		head   []string
		fresh  bool
	}{
		"the same tag":                 {stored: []string{"ETag", `"a"`}, status: 200, head: []string{"ETag", `"a"`, "X", "new"}, fresh: true},
		"the same date":                {stored: []string{"Last-Modified", lm}, status: 200, head: []string{"Last-Modified", lm, "X", "new"}, fresh: true},
		"the same length":              {status: 200, head: []string{"Content-Length", "3", "X", "new"}, fresh: true},
		"a 304":                        {stored: []string{"ETag", `"a"`}, status: 304, head: []string{"ETag", `"a"`, "X", "new"}, fresh: true},
		"another tag":                  {stored: []string{"ETag", `"a"`}, status: 200, head: []string{"ETag", `"b"`}},
		"another length":               {stored: []string{"ETag", `"a"`}, status: 200, head: []string{"ETag", `"a"`, "Content-Length", "4"}},
		"nothing that can be compared": {status: 200},
		"another status":               {stored: []string{"ETag", `"a"`}, status: 404, head: []string{"ETag", `"a"`}},
		"no-store":                     {stored: []string{"ETag", `"a"`}, status: 200, head: []string{"ETag", `"a"`, "Cache-Control", "no-store"}},
	} {
		bubble(t, name, func(t *testing.T) {
			up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
				if req.Method == "HEAD" {
					return respond(test.status, "", append([]string{"Cache-Control", "max-age=60"}, test.head...)...), nil
				}
				return respond(200, "old", append([]string{"Cache-Control", "max-age=60", "Content-Length", "3", "X", "old"}, test.stored...)...), nil
			}}
			c := newClient(t, up, nil)
			c.get()
			time.Sleep(2 * time.Minute)
			require.Contains(t, c.do(t.Context(), "HEAD", pageURL, "").cached, "fwd=stale")
			r := c.get()
			require.Equal(t, "old", r.body)
			require.Equal(t, test.fresh, up.count() == 2, r.cached)
			if test.fresh {
				require.Equal(t, "new", r.header.Get("X"))
				require.Equal(t, "headgate; hit; ttl=60", r.cached)
			}
		})
	}
}

// A HEAD that shows that a fresh answer is no longer what the upstream has.
func TestRFC9111_4_3_5_HeadMakesStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
			return respond(200, req.Method[:1], "Cache-Control", "max-age=60", "ETag", `"`+req.Method+`"`), nil
		}}
		c := newClient(t, up, nil)
		c.get()
		c.do(t.Context(), "HEAD", pageURL, "", "Cache-Control", "no-cache")
		require.Equal(t, "headgate; fwd=stale; stored; ttl=60", c.get().cached)
		require.Equal(t, freshHit, c.get().cached)
	})
}

// A HEAD for what is not stored stores nothing.
func TestHeadNeverMakesAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "", "Cache-Control", "max-age=60", "ETag", `"a"`)
		c := newClient(t, up, nil)
		for range 2 {
			require.Equal(t, "headgate; fwd=uri-miss", c.do(t.Context(), "HEAD", pageURL, "").cached)
		}
		require.Equal(t, firstMiss, c.get().cached)
	})
}
