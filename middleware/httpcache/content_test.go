package httpcache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/httpcache"
)

const chatURL = "https://api.example.com/v1/chat/completions"

func chatRoute(c *httpcache.Config) {
	c.Routes = []httpcache.Route{{
		Method: "POST", Host: "*.example.com", Path: "/v1/**", ContentType: "application/json", TTL: time.Minute,
	}}
}

var jsonType = []string{"Content-Type", "application/json; charset=utf-8"}

func (c *client) chat(content string, header ...string) reply {
	c.t.Helper()
	return c.do(context.Background(), "POST", chatURL, content, append(jsonType[:2:2], header...)...)
}

func TestContentIsAnsweredFromTheCache(t *testing.T) {
	both(t, func(t *testing.T, change func(*httpcache.Config)) {
		up := always(200, `{"answer":42}`, "Cache-Control", "no-cache, max-age=0")
		c := newClient(t, up, func(c *httpcache.Config) { change(c); chatRoute(c) })
		require.Equal(t, firstMiss, c.chat(`{"q":1}`).cached)
		r := c.chat(`{"q":1}`)
		require.Equal(t, freshHit, r.cached)
		require.Equal(t, `{"answer":42}`, r.body)
		require.Equal(t, []string{`{"q":1}`}, up.sent, "the content went on as it was")
		require.EqualValues(t, 7, up.request(0).ContentLength)
		again, err := up.request(0).GetBody()
		require.NoError(t, err, "and can be sent again by a stage below")
		b, _ := io.ReadAll(again)
		require.Equal(t, `{"q":1}`, string(b))

		time.Sleep(time.Minute)
		require.Equal(t, "headgate; fwd=stale; stored; ttl=60", c.chat(`{"q":1}`).cached)
	})
}

// Everything that may change the answer is part of the key.
func TestWhatMakesAnotherContentKey(t *testing.T) {
	ask := func(method, url, content string, header ...string) func(*client, context.Context) reply {
		return func(c *client, ctx context.Context) reply {
			return c.do(httpcache.Cacheable(ctx), method, url, content, header...)
		}
	}
	same := ask("POST", chatURL, `{"q":1}`, jsonType...)
	for name, other := range map[string]func(*client, context.Context) reply{
		"the content":          ask("POST", chatURL, `{"q":2}`, jsonType...),
		"white space in it":    ask("POST", chatURL, `{"q": 1}`, jsonType...),
		"the method":           ask("PUT", chatURL, `{"q":1}`, jsonType...),
		"the path":             ask("POST", chatURL+"/x", `{"q":1}`, jsonType...),
		"the query":            ask("POST", chatURL+"?v=1", `{"q":1}`, jsonType...),
		"the host":             ask("POST", "https://b.example.com/v1/chat/completions", `{"q":1}`, jsonType...),
		"the scheme":           ask("POST", "http://api.example.com/v1/chat/completions", `{"q":1}`, jsonType...),
		"the content type":     ask("POST", chatURL, `{"q":1}`, "Content-Type", "text/plain"),
		"the content encoding": ask("POST", chatURL, `{"q":1}`, append(jsonType[:2:2], "Content-Encoding", "gzip")...),
		"the credential":       ask("POST", chatURL, `{"q":1}`, append(jsonType[:2:2], "Authorization", "Bearer b")...),
		"an API key":           ask("POST", chatURL, `{"q":1}`, append(jsonType[:2:2], "X-Api-Key", "b")...),
		"a configured header":  ask("POST", chatURL, `{"q":1}`, append(jsonType[:2:2], "Accept", "text/event-stream")...),
		"the namespace": func(c *client, ctx context.Context) reply {
			return same(c, httpcache.Namespace(ctx, "b"))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			up := always(200, "x")
			c := newClient(t, up, func(c *httpcache.Config) { c.ContentTTL = time.Minute })
			require.Equal(t, firstMiss, same(c, t.Context()).cached)
			require.Equal(t, freshHit, same(c, t.Context()).cached)
			require.Equal(t, firstMiss, other(c, t.Context()).cached)
			require.Equal(t, freshHit, other(c, t.Context()).cached)
			require.Equal(t, freshHit, same(c, t.Context()).cached)
		})
	}
	bubble(t, "but not any other header", func(t *testing.T) {
		c := newClient(t, always(200, "x"), chatRoute)
		c.chat("{}", "X-Request-Id", "1")
		require.Equal(t, freshHit, c.chat("{}", "X-Request-Id", "2").cached)
	})
	bubble(t, "nor the credential if it is switched off", func(t *testing.T) {
		c := newClient(t, always(200, "x"), func(c *httpcache.Config) { chatRoute(c); c.PerCredential = false })
		c.chat("{}", "Authorization", "1")
		require.Equal(t, freshHit, c.chat("{}", "Authorization", "2").cached)
	})
}

func TestRoutes(t *testing.T) {
	for name, test := range map[string]struct {
		route       httpcache.Route
		method, url string
		matches     bool
	}{
		"all open":                     {httpcache.Route{}, "POST", chatURL, true},
		"another method":               {httpcache.Route{}, "PUT", chatURL, false},
		"the host":                     {httpcache.Route{Host: "API.example.com"}, "POST", chatURL, true},
		"another host":                 {httpcache.Route{Host: "example.com"}, "POST", chatURL, false},
		"a host pattern":               {httpcache.Route{Host: "*.example.com"}, "POST", chatURL, true},
		"an IPv6 address":              {httpcache.Route{Host: "[::1]:8080"}, "POST", "http://[::1]:8080/v1", true},
		"a port":                       {httpcache.Route{Host: "api.example.com:8080"}, "POST", "https://api.example.com:8080/v1", true},
		"without its port":             {httpcache.Route{Host: "api.example.com"}, "POST", "https://api.example.com:8080/v1", false},
		"the path":                     {httpcache.Route{Path: "/v1/chat/completions"}, "POST", chatURL, true},
		"a path pattern":               {httpcache.Route{Path: "/v1/*/completions"}, "POST", chatURL, true},
		"a star is one segment":        {httpcache.Route{Path: "/v1/*"}, "POST", chatURL, false},
		"all below":                    {httpcache.Route{Path: "/v1/**"}, "POST", chatURL, true},
		"below a pattern":              {httpcache.Route{Path: "/*/chat/**"}, "POST", chatURL, true},
		"below is also the path":       {httpcache.Route{Path: "/v1/chat/completions/**"}, "POST", chatURL, true},
		"below means a whole segment":  {httpcache.Route{Path: "/v/**"}, "POST", chatURL, false},
		"below needs all the segments": {httpcache.Route{Path: "/v1/chat/completions/x/**"}, "POST", chatURL, false},
		"below the root":               {httpcache.Route{Path: "/**"}, "POST", chatURL, true},
		"the content type":             {httpcache.Route{ContentType: "Application/JSON"}, "POST", chatURL, true},
		"another content type":         {httpcache.Route{ContentType: "text/plain"}, "POST", chatURL, false},
	} {
		bubble(t, name, func(t *testing.T) {
			test.route.Method, test.route.TTL = "POST", time.Minute
			c := newClient(t, always(200, "x"), func(c *httpcache.Config) { c.Routes = []httpcache.Route{test.route} })
			got := c.do(t.Context(), test.method, test.url, "{}", jsonType...).cached
			require.Equal(t, test.matches, got == firstMiss, got)
		})
	}
}

func TestWhatIsNotStoredOfContent(t *testing.T) {
	ctx := context.Background()
	for name, test := range map[string]struct {
		answer *upstream
		ctx    context.Context
		asked  []string
		want   string
	}{
		"an error":              {always(500, "x"), ctx, nil, "fwd=uri-miss; detail=STATUS"},
		"another status":        {always(201, "x"), ctx, nil, "fwd=uri-miss; detail=STATUS"},
		"no-store":              {always(200, "x", "Cache-Control", "no-store"), ctx, nil, "fwd=uri-miss; detail=NO-STORE"},
		"no-store asked for":    {always(200, "x"), ctx, []string{"Cache-Control", "no-store"}, "fwd=request; detail=NO-STORE"},
		"Vary: *":               {always(200, "x", "Vary", "*"), ctx, nil, "fwd=uri-miss; detail=VARY"},
		"a bypass":              {always(200, "x"), httpcache.Bypass(ctx), nil, "fwd=bypass; detail=BYPASS"},
		"too long to be a key":  {always(200, "x"), ctx, nil, "fwd=bypass; detail=KEY-BODY-TOO-LARGE"},
		"only if cached is 504": {always(200, "x"), httpcache.OnlyIfCached(ctx), nil, "detail=ONLY-IF-CACHED"},
	} {
		bubble(t, name, func(t *testing.T) {
			c := newClient(t, test.answer, func(c *httpcache.Config) { chatRoute(c); c.MaxContentBytes = 16 })
			content := "{}"
			if strings.Contains(test.want, "KEY-BODY") {
				content = strings.Repeat("x", 17)
			}
			for range 2 {
				r := c.do(test.ctx, "POST", chatURL, content, append(jsonType[:2:2], test.asked...)...)
				require.Equal(t, "headgate; "+test.want, r.cached)
			}
			for _, sent := range test.answer.sent {
				require.Equal(t, content, sent)
			}
		})
	}
	bubble(t, "but statuses of the route are", func(t *testing.T) {
		c := newClient(t, always(201, "x"), func(c *httpcache.Config) { chatRoute(c); c.Routes[0].Statuses = []int{200, 201} })
		c.chat("{}")
		require.Equal(t, freshHit, c.chat("{}").cached)
	})
}

// Content of unknown length is read up to the bound, and goes on whole beyond it.
func TestContentOfUnknownLength(t *testing.T) {
	for name, test := range map[string]struct {
		content, want string
	}{
		"within the bound": {strings.Repeat("x", 16), firstMiss},
		"beyond":           {strings.Repeat("x", 17), "headgate; fwd=bypass; detail=KEY-BODY-TOO-LARGE"},
	} {
		bubble(t, name, func(t *testing.T) {
			up := always(200, "x")
			c := newClient(t, up, func(c *httpcache.Config) { chatRoute(c); c.MaxContentBytes = 16 })
			closed := 0
			body := &closer{iotest.OneByteReader(strings.NewReader(test.content)), &closed}
			req, _ := http.NewRequest("POST", chatURL, body)
			req.Header.Set("Content-Type", "application/json")
			resp, err := c.rt.RoundTrip(req)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, test.want, resp.Header.Get("Cache-Status"))
			require.Equal(t, []string{test.content}, up.sent)
			require.Equal(t, 1, closed)
			require.Same(t, body, req.Body, "the caller's request is as it was")
		})
	}
	bubble(t, "none at all", func(t *testing.T) {
		up := always(200, "x")
		c := newClient(t, up, chatRoute)
		for _, want := range []string{firstMiss, freshHit} {
			req, _ := http.NewRequest("POST", chatURL, struct{ io.Reader }{strings.NewReader("")})
			req.Header.Set("Content-Type", "application/json")
			resp, err := c.rt.RoundTrip(req)
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, want, resp.Header.Get("Cache-Status"))
		}
		require.Equal(t, http.NoBody, up.request(0).Body, "so that its length is known")
	})
	bubble(t, "a body that fails", func(t *testing.T) {
		up := always(200, "x")
		c := newClient(t, up, chatRoute)
		closed := 0
		req, _ := http.NewRequest("POST", chatURL, &closer{iotest.ErrReader(errors.New("torn")), &closed})
		req.Header.Set("Content-Type", "application/json")
		_, err := c.rt.RoundTrip(req)
		require.ErrorContains(t, err, "torn")
		require.Equal(t, 1, closed)
		require.Zero(t, up.count())
	})
}

type closer struct {
	io.Reader
	closed *int
}

func (c *closer) Close() error { *c.closed++; return nil }

func TestStreamsAreStoredOnlyWhenTheyEndProperly(t *testing.T) {
	for name, test := range map[string]struct {
		stream string
		stored bool
	}{
		"[DONE]":                               {"data: {}\n\ndata: [DONE]\n\n", true},
		"[DONE] without the empty line":        {"data: {}\n\ndata: [DONE]", true},
		"[DONE] with carriage returns":         {"data: {}\r\n\r\ndata: [DONE]\r\n\r\n", true},
		"[DONE] without a space":               {"data:[DONE]\n\n", true},
		"a comment after it":                   {"data: [DONE]\n\n: bye\n\n", true},
		"message_stop":                         {"event: message_delta\ndata: {}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", true},
		"message_stop, cut":                    {"event: message_stop\ndata: {\"type\":\"mess", false},
		"message_stop, without the empty line": {"event: message_stop\ndata: {}\n", false},
		"message_stop by its data alone":       {"data: {\"type\": \"message_stop\"}\n\n", true},
		"message_stop in a text":               {"data: {\"text\":\"\\\"type\\\":\\\"message_stop\\\"\"}\n\n", false},
		"response.completed":                   {"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n", true},
		"response.incomplete":                  {"event: response.incomplete\ndata: {\"type\":\"response.incomplete\"}\n\n", false},
		"an error at the end":                  {"data: {}\n\nevent: error\ndata: {}\n\n", false},
		"no terminal event":                    {"data: {}\n\n", false},
		"[DONE] within a text":                 {"data: \"[DONE]\"\n\n", false},
		"nothing":                              {"", false},
	} {
		bubble(t, name, func(t *testing.T) {
			up := sequence(func() *http.Response {
				resp := respond(200, test.stream, "Content-Type", "text/event-stream; charset=utf-8", "Cache-Control", "no-cache")
				resp.ContentLength = -1
				return resp
			})
			stage := newCache(t, chatRoute)
			c := &client{t, stage.Wrap(up)}
			c.chat("{}")
			r := c.chat("{}")
			require.Equal(t, test.stored, r.cached == freshHit, r.cached)
			require.Equal(t, test.stream, r.body, "replayed as raw bytes")
			require.Equal(t, "text/event-stream; charset=utf-8", r.header.Get("Content-Type"))
		})
	}
}

func TestWithComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, always(200, `{"finish_reason":"length"}`), chatRoute, httpcache.WithComplete(func(status int, header http.Header, body []byte) bool {
			return status == 200 && !strings.Contains(string(body), "length")
		}))
		c.chat("{}")
		require.Equal(t, firstMiss, c.chat("{}").cached)
	})
}

func FuzzStreamComplete(f *testing.F) {
	f.Add("event: a\r\ndata: b\n\n: c\n\n")
	f.Add("data: [DONE]")
	f.Fuzz(func(t *testing.T, s string) {
		ok := httpcache.StreamComplete(200, http.Header{"Content-Type": {"text/event-stream"}}, []byte(s))
		require.True(t, !ok || strings.Contains(s, "[DONE]") || strings.Contains(s, "message_stop") || strings.Contains(s, "response.completed"))
	})
}
