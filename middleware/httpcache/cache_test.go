package httpcache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// both runs a test with and without coalescing: two ways to the upstream.
func both(t *testing.T, test func(t *testing.T, change func(*httpcache.Config))) {
	for name, coalesce := range map[string]bool{"coalescing": true, "alone": false} {
		bubble(t, name, func(t *testing.T) {
			test(t, func(c *httpcache.Config) { c.Coalesce = coalesce })
		})
	}
}

// bubble is a subtest in which time stands still unless all sleep.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func TestFreshAnswerIsServedUntilItIsStale(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		up := always(200, "hello", "Cache-Control", "max-age=60", "X-Kept", "yes", "Connection", "X-Hop", "X-Hop", "no", "Content-Length", "5")
		c := newClient(t, up, change)
		r := c.get()
		require.Equal(t, firstMiss, r.cached)
		require.Equal(t, "hello", r.body)
		require.Empty(t, r.header["Age"])

		time.Sleep(59*time.Second + 500*time.Millisecond)
		r = c.get()
		require.Equal(t, "headgate; hit; ttl=0", r.cached)
		require.Equal(t, "59", r.header.Get("Age"))
		require.Equal(t, "hello", r.body)
		require.Equal(t, "yes", r.header.Get("X-Kept"))
		require.Empty(t, r.header.Get("X-Hop"), "named in Connection (RFC 9111, section 3.1)")
		require.NotEmpty(t, r.header.Get("Date"), "added when it was stored (RFC 9110, section 6.6.1)")
		require.EqualValues(t, 5, r.resp.ContentLength)
		require.Equal(t, "HTTP/1.1", r.resp.Proto)
		require.Equal(t, 1, up.count())

		time.Sleep(500 * time.Millisecond)
		require.Equal(t, "headgate; fwd=stale; stored; ttl=60", c.get().cached)
		require.Equal(t, freshHit, c.get().cached)
		require.Equal(t, 2, up.count())
	})
}

// resilience.md 23: every caller has a body and a header of its own.
func TestEveryCallerGetsAFreshBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "hello", "Cache-Control", "max-age=60", "X-List", "a")
		c := newClient(t, up, nil)
		c.get()
		req, _ := http.NewRequest("GET", pageURL, nil)
		half, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		var two [2]byte
		_, err = io.ReadFull(half.Body, two[:])
		require.NoError(t, err)
		half.Header.Set("X-List", "changed")
		half.Header.Add("Cache-Control", "changed")
		half.Header["X-List"] = append(half.Header["X-List"], "more")
		half.Header["Age"] = append(half.Header["Age"], "more")
		require.Equal(t, []string{freshHit}, half.Header["Cache-Status"])

		r := c.get()
		require.Equal(t, "hello", r.body)
		require.Equal(t, []string{"a"}, r.header["X-List"])
		require.Equal(t, []string{"max-age=60"}, r.header["Cache-Control"])
		rest, err := io.ReadAll(half.Body)
		require.NoError(t, err)
		require.Equal(t, "llo", string(rest))
		require.NoError(t, half.Body.Close())
		n, err := half.Body.Read(two[:])
		require.Zero(t, n)
		require.Error(t, err)
		require.Equal(t, 1, up.count())
	})
}

func TestHeadIsServedFromAStoredGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "hello", "Cache-Control", "max-age=60", "Content-Length", "5")
		c := newClient(t, up, nil)
		require.Equal(t, "headgate; fwd=uri-miss", c.do(t.Context(), "HEAD", pageURL, "").cached, "a HEAD creates no entry")
		require.Equal(t, firstMiss, c.get().cached)
		r := c.do(t.Context(), "HEAD", pageURL, "")
		require.Equal(t, freshHit, r.cached)
		require.Empty(t, r.body)
		require.EqualValues(t, 5, r.resp.ContentLength)
		require.Equal(t, "5", r.header.Get("Content-Length"))
	})
}

func TestConditionalRequestGets304(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "hello", "Cache-Control", "max-age=60", "ETag", `"a"`, "Content-Length", "5", "Content-Type", "text/plain")
		c := newClient(t, up, nil)
		c.get()
		r := c.get("If-None-Match", `W/"a"`)
		require.Equal(t, 304, r.status)
		require.Empty(t, r.body)
		require.Equal(t, `"a"`, r.header.Get("ETag"))
		require.Empty(t, r.header.Get("Content-Length"))
		require.Equal(t, freshHit, r.cached)
		require.Equal(t, 200, c.get("If-None-Match", `"b"`).status)
		require.Equal(t, 1, up.count())
	})
}

// RFC 9111, section 4.3: a stale answer is asked about.
func TestRFC9111_4_3_Revalidation(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		up := sequence(
			func() *http.Response {
				return respond(200, "hello", "Cache-Control", "max-age=60", "ETag", `"a"`, "Content-Length", "5", "Content-Type", "text/plain", "X", "old")
			},
			func() *http.Response {
				return respond(304, "", "Cache-Control", "max-age=30", "ETag", `"a"`, "Content-Length", "0", "Content-Type", "x/y", "X", "new")
			},
			func() *http.Response { return respond(200, "world", "Cache-Control", "max-age=60") },
		)
		c := newClient(t, up, change)
		c.get()
		time.Sleep(time.Minute)
		r := c.get()
		require.Equal(t, "headgate; fwd=stale; fwd-status=304; stored; ttl=30", r.cached)
		require.Equal(t, "hello", r.body)
		require.Equal(t, "new", r.header.Get("X"))
		require.Equal(t, "5", r.header.Get("Content-Length"), "RFC 9111, section 3.2: not updated")
		require.Equal(t, "text/plain", r.header.Get("Content-Type"))
		require.Equal(t, `"a"`, up.request(1).Header.Get("If-None-Match"))
		require.Equal(t, "headgate; hit; ttl=30", c.get().cached)
		time.Sleep(30 * time.Second)
		require.Equal(t, "world", c.get().body)
		require.Equal(t, "world", c.get().body)
		require.Equal(t, 3, up.count())
	})
}

// RFC 9111, section 4.1: variants are kept, and their number is bounded.
func TestRFC9111_4_1_Variants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
			return respond(200, req.Header.Get("Accept"), "Cache-Control", "max-age=60", "Vary", "Accept"), nil
		}}
		c := newClient(t, up, func(c *httpcache.Config) { c.MaxVariants = 2 })
		require.Equal(t, firstMiss, c.get("Accept", "a").cached)
		require.Equal(t, "headgate; fwd=vary-miss; stored; ttl=60", c.get("Accept", "b").cached)
		for _, accept := range []string{"a", "b"} {
			r := c.get("Accept", accept)
			require.Equal(t, freshHit, r.cached)
			require.Equal(t, accept, r.body)
		}
		c.get("Accept", "c")
		require.Equal(t, freshHit, c.get("Accept", "b").cached)
		require.Contains(t, c.get("Accept", "a").cached, "fwd=vary-miss", "the oldest gave way")
	})
}

// RFC 9111, section 4.4: unsafe methods that succeed invalidate.
func TestRFC9111_4_4_Invalidation(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		status int
		header []string
		gone   bool
	}{
		"POST":                          {method: "POST", status: 200, gone: true},
		"DELETE with 204":               {method: "DELETE", status: 204, gone: true},
		"a redirect":                    {method: "PUT", status: 303, gone: true},
		"an unknown method":             {method: "FROB", status: 200, gone: true},
		"an error":                      {method: "POST", status: 500},
		"a client's error":              {method: "POST", status: 404},
		"a safe method":                 {method: "OPTIONS", status: 200},
		"elsewhere":                     {method: "POST /other", status: 200},
		"elsewhere, with Location":      {method: "POST /other", status: 201, header: []string{"Location", "/page"}, gone: true},
		"elsewhere, Content-Location":   {method: "POST /other", status: 200, header: []string{"Content-Location", pageURL}, gone: true},
		"Location of another origin":    {method: "POST /other", status: 200, header: []string{"Location", "https://api.example.com/page"}},
		"a Location that is none":       {method: "POST /other", status: 200, header: []string{"Location", "http://[::1"}},
		"the fragment does not matter":  {method: "POST /page#top", status: 200, gone: true},
		"the query does":                {method: "POST /page?a=b", status: 200},
		"the case of the host does not": {method: "POST http://API.example.com:80/page", status: 200, gone: true},
	} {
		bubble(t, name, func(t *testing.T) {
			up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
				if req.Method == "GET" {
					return respond(200, "hello", "Cache-Control", "max-age=60"), nil
				}
				return respond(test.status, "", test.header...), nil
			}}
			c := newClient(t, up, nil)
			c.get()
			c.get("Authorization", "somebody else's")
			method, url, ok := strings.Cut(test.method, " ")
			switch {
			case !ok:
				url = pageURL
			case url[0] == '/':
				url = "http://api.example.com" + url
			}
			require.Equal(t, "headgate; fwd=method", c.do(t.Context(), method, url, "").cached)
			for _, auth := range []string{"", "somebody else's"} {
				var h []string
				if auth != "" {
					h = []string{"Authorization", auth}
				}
				require.Equal(t, !test.gone, c.get(h...).cached == freshHit)
			}
		})
	}
}

// An answer that was asked for before an invalidation may be from before the change.
func TestFillBegunBeforeAnInvalidationIsDiscarded(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		up := always(200, "hello", "Cache-Control", "max-age=60")
		c := newClient(t, up, change)
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		c.do(t.Context(), "POST", pageURL, "x")
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		require.Equal(t, firstMiss, c.get().cached)
		require.Equal(t, freshHit, c.get().cached)
	})
}

func TestWhatPassesByIsMarkedAndNotStored(t *testing.T) {
	plain := []string{"Cache-Control", "max-age=60"}
	for name, test := range map[string]struct {
		answer *http.Response
		ctx    func(context.Context) context.Context
		asked  []string
		body   string
		want   string
	}{
		"a part":              {answer: respond(206, "he", plain...), asked: []string{"Range", "bytes=0-1"}, want: "fwd=uri-miss; detail=STATUS"},
		"no such part":        {answer: respond(416, "", plain...), asked: []string{"Range", "bytes=9-"}, want: "fwd=uri-miss; detail=STATUS"},
		"a range of pages":    {answer: respond(206, "he", plain...), asked: []string{"Range", "pages=0-1"}, want: "fwd=bypass; detail=RANGE"},
		"an unasked part":     {answer: respond(206, "he", plain...), want: "fwd=uri-miss; detail=STATUS"},
		"a GET with content":  {answer: respond(200, "x", plain...), body: "x", want: "fwd=bypass; detail=BODY"},
		"If-Match":            {answer: respond(200, "x", plain...), asked: []string{"If-Match", `"a"`}, want: "fwd=bypass; detail=CONDITIONAL"},
		"Upgrade":             {answer: respond(200, "x", plain...), asked: []string{"Upgrade", "h2c"}, want: "fwd=bypass; detail=UPGRADE"},
		"Bypass":              {answer: respond(200, "x", plain...), ctx: httpcache.Bypass, want: "fwd=bypass; detail=BYPASS"},
		"no-store":            {answer: respond(200, "x", "Cache-Control", "no-store"), want: "fwd=uri-miss; detail=NO-STORE"},
		"no-store asked for":  {answer: respond(200, "x", plain...), asked: []string{"Cache-Control", "no-store"}, want: "fwd=request; detail=NO-STORE"},
		"Vary: *":             {answer: respond(200, "x", "Cache-Control", "max-age=60", "Vary", "*"), want: "fwd=uri-miss; detail=VARY"},
		"no freshness":        {answer: respond(200, "x"), want: "fwd=uri-miss; detail=NO-FRESHNESS"},
		"stale from birth":    {answer: respond(200, "x", "Cache-Control", "max-age=60", "Age", "60"), want: "fwd=uri-miss; detail=NO-FRESHNESS"},
		"a 304 to the caller": {answer: respond(304, "", plain...), asked: []string{"If-None-Match", `"a"`}, want: "fwd=uri-miss; detail=NOT-MODIFIED"},
		"too large":           {answer: respond(200, strings.Repeat("x", 4<<10), plain...), want: "fwd=uri-miss; detail=TOO-LARGE"},
		"a server's error":    {answer: respond(503, "busy"), want: "fwd=uri-miss; detail=NO-FRESHNESS"},
	} {
		bubble(t, name, func(t *testing.T) {
			want, err := io.ReadAll(test.answer.Body)
			require.NoError(t, err)
			up := &upstream{answer: func(int, *http.Request) (*http.Response, error) {
				resp := *test.answer
				resp.Header, resp.Body = resp.Header.Clone(), io.NopCloser(strings.NewReader(string(want)))
				return &resp, nil
			}}
			c := newClient(t, up, func(c *httpcache.Config) { c.MaxEntryBytes = 2 << 10 })
			ctx := t.Context()
			if test.ctx != nil {
				ctx = test.ctx(ctx)
			}
			for range 2 {
				r := c.do(ctx, "GET", pageURL, test.body, test.asked...)
				require.Equal(t, "headgate; "+test.want, r.cached)
				require.Equal(t, string(want), r.body)
			}
			require.Equal(t, 2, up.count())
		})
	}
}

func TestCacheStatusOfCachesUpstreamIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60", "Cache-Status", "cdn; hit; ttl=5")
		c := newClient(t, up, nil)
		require.Equal(t, "cdn; hit; ttl=5, "+firstMiss, c.get().cached)
		require.Equal(t, "cdn; hit; ttl=5, "+freshHit, c.get().cached)
		require.Equal(t, "cdn; hit; ttl=5, "+freshHit, c.get().cached)
	})
}

// caching.md: committed only at a clean end with the declared length.
func TestOnlyWholeBodiesAreStored(t *testing.T) {
	unknown := func(r *http.Response) { r.ContentLength = -1 }
	all := func(r io.ReadCloser) { _, _ = io.Copy(io.Discard, r) }
	some := func(n int64) func(io.ReadCloser) { return func(r io.ReadCloser) { _, _ = io.CopyN(io.Discard, r, n) } }
	for name, test := range map[string]struct {
		change func(*http.Response)
		read   func(io.ReadCloser)
		stored bool
	}{
		"declared":                           {func(*http.Response) {}, all, true},
		"of unknown length, read to the end": {unknown, all, true},
		"shorter than declared":              {func(r *http.Response) { r.ContentLength = 6 }, all, false},
		"longer than declared":               {func(r *http.Response) { r.ContentLength = 4 }, all, false},
		"cut off":                            {func(r *http.Response) { unknown(r); r.Body = io.NopCloser(io.MultiReader(r.Body, failing{})) }, all, false},
		"closed early":                       {func(r *http.Response) { arrives(r, "hell", "o") }, some(4), false},
		"closed when all was read, its end not seen": {func(*http.Response) {}, some(5), true},
		"the same, of unknown length":                {func(r *http.Response) { unknown(r); arrives(r, "hello", "") }, some(5), false},
		"the same, while its end is awaited":         {func(r *http.Response) { r.Body = newEndless("hello") }, some(5), true},
		"not read at all":                            {func(r *http.Response) { arrives(r, "", "hello") }, func(io.ReadCloser) {}, false},
		"empty and not read at all":                  {func(r *http.Response) { r.Body, r.ContentLength = http.NoBody, 0 }, func(io.ReadCloser) {}, true},
		"over max_entry_bytes, not declared": {func(r *http.Response) {
			unknown(r)
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 9<<10)))
		}, all, false},
		"with a Read that gives the end with the rest": {func(r *http.Response) { r.Body = io.NopCloser(eager{strings.NewReader("hello")}) }, some(5), true},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, change func(*httpcache.Config)) {
				up := sequence(func() *http.Response {
					resp := respond(200, "hello", "Cache-Control", "max-age=60")
					test.change(resp)
					return resp
				})
				c := newClient(t, up, func(c *httpcache.Config) { change(c); c.MaxEntryBytes = 8 << 10 })
				req, _ := http.NewRequest("GET", pageURL, nil)
				resp, err := c.rt.RoundTrip(req)
				require.NoError(t, err)
				test.read(resp.Body)
				require.NoError(t, resp.Body.Close())
				synctest.Wait()
				resp, err = c.rt.RoundTrip(req)
				require.NoError(t, err)
				require.Equal(t, test.stored, strings.HasPrefix(resp.Header.Get("Cache-Status"), "headgate; hit"), resp.Header.Get("Cache-Status"))
				require.NoError(t, resp.Body.Close())
				time.Sleep(time.Second) // what is still being read comes to its end
			})
		})
	}
}

// arrives has a second pass within the body. What is there at once may be read ahead of the caller.
func arrives(r *http.Response, before, after string) {
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(before), pause{}, strings.NewReader(after)))
}

type pause struct{}

func (pause) Read([]byte) (int, error) {
	time.Sleep(time.Second)
	return 0, io.EOF
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("cut off") }

// endless gives its text, and then nothing until it is closed.
type endless struct {
	io.Reader
	closed chan struct{}
}

func newEndless(text string) endless { return endless{strings.NewReader(text), make(chan struct{})} }

func (e endless) Read(p []byte) (int, error) {
	if n, _ := e.Reader.Read(p); n > 0 {
		return n, nil
	}
	<-e.closed
	return 0, http.ErrBodyReadAfterClose
}

func (e endless) Close() error {
	close(e.closed)
	return nil
}

// eager gives io.EOF together with the last bytes.
type eager struct{ r *strings.Reader }

func (e eager) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.r.Len() == 0 {
		err = io.EOF
	}
	return n, err
}

func TestTrailerIsKept(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		up := sequence(func() *http.Response {
			resp := respond(200, "hello", "Cache-Control", "max-age=60")
			resp.Trailer = http.Header{"X-Sum": {"1"}}
			return resp
		})
		c := newClient(t, up, change)
		for range 2 {
			require.Equal(t, "1", c.get().resp.Trailer.Get("X-Sum"))
		}
		require.Equal(t, 1, up.count())
	})
}

func TestOptionsOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, nil)
		ask := func(ctx context.Context) string { return c.do(ctx, "GET", pageURL, "").cached }
		require.Equal(t, 504, c.do(httpcache.OnlyIfCached(t.Context()), "GET", pageURL, "").status)
		require.Equal(t, "headgate; detail=ONLY-IF-CACHED", ask(httpcache.OnlyIfCached(t.Context())))
		require.Zero(t, up.count())

		require.Equal(t, "headgate; fwd=uri-miss; stored; ttl=5", ask(httpcache.TTL(t.Context(), 5*time.Second)))
		require.Equal(t, "headgate; hit; ttl=5", ask(httpcache.OnlyIfCached(t.Context())))
		time.Sleep(5 * time.Second)
		require.Equal(t, "headgate; fwd=stale; stored; ttl=60", ask(t.Context()))
		time.Sleep(time.Second)
		require.Equal(t, "headgate; fwd=request; stored; ttl=60", ask(httpcache.Refresh(t.Context())))
		require.Equal(t, freshHit, ask(t.Context()))

		tenant := httpcache.Namespace(t.Context(), "tenant")
		require.Equal(t, firstMiss, ask(tenant))
		require.Equal(t, freshHit, ask(tenant))
		require.Equal(t, firstMiss, ask(httpcache.Namespace(t.Context(), "other")))
	})
}

func TestLocal504SaysNothingAboutTheUpstream(t *testing.T) {
	var outcome middleware.Outcome
	above := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, req := middleware.Join(req)
			resp, err := next.RoundTrip(req)
			outcome = ex.Outcome(resp, err)
			return resp, err
		})
	}
	rt := middleware.Chain(always(200, ""), above, newCache(t, nil).Wrap)
	req, _ := http.NewRequestWithContext(httpcache.OnlyIfCached(t.Context()), "GET", pageURL, nil)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, middleware.Neutral, outcome.Verdict)
	require.Equal(t, middleware.NeverSent, outcome.Processing)
}

// One caller never sees another's answer, in a cache that many share by accident.
func TestAnswersAreKeptApartByCredential(t *testing.T) {
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key"} {
		bubble(t, name, func(t *testing.T) {
			up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
				return respond(200, req.Header.Get(name), "Cache-Control", "max-age=60"), nil
			}}
			c := newClient(t, up, nil)
			for range 2 {
				for _, who := range []string{"a", "b"} {
					require.Equal(t, who, c.get(name, who).body)
				}
				require.Equal(t, "", c.get().body)
			}
			require.Equal(t, 3, up.count())
		})
	}
	bubble(t, "userinfo", func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, nil)
		for _, user := range []string{"", "a:b@", "a:c@"} {
			require.Equal(t, firstMiss, c.do(t.Context(), "GET", "http://"+user+"api.example.com/page", "").cached)
		}
	})
	bubble(t, "unless it is switched off", func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, func(c *httpcache.Config) { c.PerCredential = false })
		c.get("Authorization", "a")
		require.Equal(t, freshHit, c.get("Authorization", "b").cached)
	})
	bubble(t, "or the cache is shared and the answer is public", func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "public, s-maxage=60")
		c := newClient(t, up, func(c *httpcache.Config) { c.Shared = true })
		c.get("Authorization", "a")
		require.Equal(t, freshHit, c.get("Authorization", "b").cached)
	})
}

func TestHostFieldIsPartOfTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(200, "x", "Cache-Control", "max-age=60")
		c := newClient(t, up, nil)
		for range 2 {
			for _, host := range []string{"", "a.example.com", "b.example.com"} {
				req, _ := http.NewRequest("GET", pageURL, nil)
				req.Host = host
				resp, err := c.rt.RoundTrip(req)
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
		require.Equal(t, 3, up.count())
	})
}

func TestConfigurationAndUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, httpcache.DefaultConfig().Validate())
		_, err := httpcache.New(httpcache.Config{})
		require.ErrorContains(t, err, "DefaultConfig")
		_, err = httpcache.New(httpcache.Config{
			MaxBytes: 1, MaxVariants: -1, PerCredential: true, ContentHeaders: []string{"a b"}, HeuristicMax: -1, MaxContentBytes: -1,
			Routes:               []httpcache.Route{{Host: "[", Path: "x", ContentType: "a; b", Statuses: []int{99}}},
			StaleWhileRevalidate: -1, StaleIfError: -1, MaxRefreshes: -1, RefreshTimeout: -1,
		})
		for _, key := range []string{
			"store", "max_bytes", "max_variants", "credential_headers", "content_headers", "heuristic_max", "max_content_bytes", "content_ttl",
			"stale_while_revalidate", "stale_if_error", "max_refreshes", "refresh_timeout",
			"routes: route 1: method", "routes: route 1: host", "routes: route 1: path", "routes: route 1: content_type", "routes: route 1: ttl", "routes: route 1: statuses",
		} {
			require.ErrorContains(t, err, key+": ")
		}
		cfg := httpcache.DefaultConfig()
		cfg.MaxEntryBytes = 2 * cfg.MaxBytes
		_, err = httpcache.New(cfg)
		require.ErrorContains(t, err, "max_entry_bytes: 128MiB")
		cfg = httpcache.DefaultConfig()
		cfg.Store = "redis"
		_, err = httpcache.New(cfg)
		require.ErrorContains(t, err, `"redis"`)

		up := always(200, "x", "Cache-Control", "max-age=60")
		stage := newCache(t, nil)
		c := &client{t, stage.Wrap(up)}
		c.get()
		require.Error(t, stage.Update(httpcache.Config{MaxVariants: 1}))
		if storeOfSuite == nil {
			require.Error(t, stage.Update(cfg), "the store cannot be exchanged")
		}
		require.Equal(t, freshHit, c.get().cached)
		cfg = httpcache.DefaultConfig()
		cfg.MaxBytes, cfg.MaxEntryBytes, cfg.Shared = 8<<10, 8<<10, true
		require.NoError(t, stage.Update(cfg))
		require.Equal(t, freshHit, c.get().cached, "what is stored stays")
	})
}

func TestSharedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := memory.New(memory.DefaultConfig())
		require.NoError(t, err)
		up := always(200, "x", "Cache-Control", "max-age=60")
		newClient(t, up, nil, httpcache.WithStore(m)).get()
		require.Equal(t, freshHit, newClient(t, up, func(c *httpcache.Config) { c.Store = "ours" }, httpcache.WithStore(m)).get().cached)
	})
}

// A store that fails never fails the call.
func TestStoreThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := memory.New(memory.DefaultConfig())
		require.NoError(t, err)
		var kinds []string
		seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
			if e.Err != nil {
				kinds = append(kinds, e.Stage+" "+e.Kind)
			}
		})
		up := always(200, "x", "Cache-Control", "max-age=60")
		stage := newCache(t, func(c *httpcache.Config) { c.Coalesce = false }, httpcache.WithStore(broken{m}), httpcache.WithReporter(middleware.Reporter{Observer: seen}))
		c := &client{t, stage.Wrap(up)}
		for range 2 {
			require.Equal(t, firstMiss, c.get().cached)
		}
		require.Equal(t, []string{"cache store_failed"}, kinds)
		require.EqualValues(t, 4, stage.Stats().StoreErrors)
	})
}

type broken struct{ *memory.Store }

func (broken) Get(context.Context, any) (any, error) { return nil, errors.New("down") }

func TestSnapshotAndEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kinds []string
		seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { kinds = append(kinds, e.Stage+" "+e.Kind) })
		up := always(200, "x", "Cache-Control", "max-age=60")
		stage := newCache(t, nil, httpcache.WithReporter(middleware.Reporter{Stage: "cache/web", Observer: seen}))
		c := &client{t, stage.Wrap(up)}
		c.get()
		c.get()
		c.get("Cache-Control", "no-cache")
		c.get("Range", "pages=0-1")
		c.get("Cache-Control", "only-if-cached", "X", "y")
		c.do(t.Context(), "POST", pageURL, "x")
		c.do(t.Context(), "GET", pageURL, "", "Cache-Control", "only-if-cached")
		s := stage.Stats()
		s.Bytes = 0
		require.Equal(t, httpcache.Stats{
			Hits: 2, Forwarded: 4, Unavailable: 1, Misses: 1, Requested: 1, Methods: 1, Bypassed: 1, Stored: 2, Invalidations: 1,
		}, s)
		require.Equal(t, []string{"cache/web stored", "cache/web hit", "cache/web stored", "cache/web hit", "cache/web invalidated"}, kinds)
	})
}

// A request that the transport refuses is the transport's to refuse.
func TestRequestWithoutURL(t *testing.T) {
	for _, method := range []string{"", "GET", "POST"} {
		c := newCache(t, chatRoute)
		_, err := c.Wrap(&http.Transport{}).RoundTrip(&http.Request{Method: method})
		require.Error(t, err)
		resp, err := c.Wrap(always(200, "")).RoundTrip(&http.Request{Method: method})
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
}

func TestHitCanBeCopiedWithoutABuffer(t *testing.T) {
	c := newClient(t, always(200, "hello", "Cache-Control", "max-age=60"), nil)
	c.get()
	req, _ := http.NewRequest("GET", pageURL, nil)
	resp, err := c.rt.RoundTrip(req)
	require.NoError(t, err)
	var b strings.Builder
	n, err := io.Copy(&b, resp.Body)
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	require.Equal(t, "hello", b.String())
	n, err = io.Copy(&b, resp.Body)
	require.NoError(t, err)
	require.Zero(t, n)
}
