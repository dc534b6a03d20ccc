package httpcache_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// afterwards answers the first request with one thing and all others with another.
func afterwards(first func() *http.Response, then func(req *http.Request) (*http.Response, error)) *upstream {
	return &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
		if n == 1 {
			return first(), nil
		}
		return then(req)
	}}
}

func page(body string, header ...string) func() *http.Response {
	return func() *http.Response { return respond(200, body, header...) }
}

var errDown = errors.New("connection refused")

func down(*http.Request) (*http.Response, error) { return nil, errDown }

func says(status int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return respond(status, "sorry", header...), nil }
}

// RFC 5861, section 3; caching.md 15: a stale answer is served at once, and one
// refresh in the background brings a new one for those who come later.
func TestRFC5861_3_StaleWhileRevalidate(t *testing.T) {
	for name, test := range map[string]struct {
		given  string
		config time.Duration
	}{
		"the answer says so":              {given: "max-age=10, stale-while-revalidate=60"},
		"the configuration says so":       {given: "max-age=10", config: time.Minute},
		"an answer that was never fresh":  {given: "max-age=0, stale-while-revalidate=70"},
		"the answer outranks it":          {given: "max-age=10, stale-while-revalidate=60", config: time.Second},
		"must-revalidate for others only": {given: "max-age=10, proxy-revalidate, stale-while-revalidate=60"},
	} {
		bubble(t, name, func(t *testing.T) {
			up := sequence(page("old", "Cache-Control", test.given), func() *http.Response {
				time.Sleep(time.Second)
				return respond(200, "new", "Cache-Control", test.given)
			})
			c := newClient(t, up, func(c *httpcache.Config) { c.StaleWhileRevalidate = test.config })
			c.get()
			time.Sleep(20 * time.Second)
			for range 5 { // one refresh for all of them, and nobody waits
				start := time.Now()
				r := c.get()
				require.Zero(t, time.Since(start))
				require.Equal(t, "old", r.body)
				require.Regexp(t, `^headgate; hit; ttl=-\d+; detail=STALE-WHILE-REVALIDATE$`, r.cached)
				require.Equal(t, "20", r.header.Get("Age"))
			}
			time.Sleep(time.Second)
			synctest.Wait()
			require.Equal(t, 2, up.count())
			require.Equal(t, "new", c.get().body)
			time.Sleep(time.Second) // the one that was never fresh is refreshed again
		})
	}
}

// What may not be served while it is revalidated waits for the upstream.
func TestRFC5861_3_NotWhileRevalidating(t *testing.T) {
	for name, test := range map[string]struct {
		given  string
		asked  []string
		config func(*httpcache.Config)
		after  time.Duration
	}{
		"nobody says so":                 {given: "max-age=10"},
		"beyond the window":              {given: "max-age=10, stale-while-revalidate=60", after: 71 * time.Second},
		"must-revalidate":                {given: "max-age=10, must-revalidate, stale-while-revalidate=60"},
		"no-cache":                       {given: "no-cache, max-age=10, stale-while-revalidate=60"},
		"an answer that says 0":          {given: "max-age=10, stale-while-revalidate=0", config: func(c *httpcache.Config) { c.StaleWhileRevalidate = time.Hour }},
		"proxy-revalidate, shared":       {given: "max-age=10, proxy-revalidate, stale-while-revalidate=60", config: func(c *httpcache.Config) { c.Shared = true }},
		"s-maxage, shared":               {given: "s-maxage=10, stale-while-revalidate=60", config: func(c *httpcache.Config) { c.Shared = true }},
		"a caller who wants a new one":   {given: "max-age=10, stale-while-revalidate=60", asked: []string{"Cache-Control", "no-cache"}},
		"a caller who wants a young one": {given: "max-age=10, stale-while-revalidate=60", asked: []string{"Cache-Control", "max-age=5"}},
		"a caller who wants a fresh one": {given: "max-age=10, stale-while-revalidate=60", asked: []string{"Cache-Control", "min-fresh=1"}},
	} {
		bubble(t, name, func(t *testing.T) {
			up := sequence(page("old", "Cache-Control", test.given), page("new", "Cache-Control", test.given))
			c := newClient(t, up, test.config)
			c.get()
			time.Sleep(max(test.after, 20*time.Second))
			require.Equal(t, "new", c.get(test.asked...).body)
		})
	}
}

// The refresh is not the caller's request: it goes on when the caller's context
// ends, has none of the caller's conditions, and tells nothing to its trace.
func TestRefreshIsDetached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := sequence(
			page("old", "Cache-Control", "max-age=10, stale-while-revalidate=60", "ETag", `"a"`, "Vary", "Accept"),
			func() *http.Response { time.Sleep(time.Second); return respond(304, "", "ETag", `"a"`) },
		)
		c := newClient(t, up, nil)
		c.get("Accept", "text/html")
		time.Sleep(20 * time.Second)
		ctx, cancel := context.WithCancel(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{}))
		r := c.do(ctx, "GET", pageURL, "", "Accept", "text/html", "Range", "bytes=1-1", "Cache-Control", "max-stale=1", "If-None-Match", `"b"`)
		require.Equal(t, 206, r.status)
		require.Equal(t, "l", r.body)
		cancel()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Equal(t, 2, up.count())
		req := up.request(1)
		require.Equal(t, http.Header{"Accept": {"text/html"}, "If-None-Match": {`"a"`}}, req.Header)
		require.Nil(t, httptrace.ContextClientTrace(req.Context()))
		require.Equal(t, "headgate; hit; ttl=9", c.get("Accept", "text/html").cached)
	})
}

// A HEAD that is answered with a stale answer refreshes it with a GET.
func TestRefreshAfterAHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := sequence(page("old", "Cache-Control", "max-age=10, stale-while-revalidate=60"), page("newer", "Cache-Control", "max-age=10"))
		c := newClient(t, up, nil)
		c.get()
		time.Sleep(20 * time.Second)
		require.Contains(t, c.do(t.Context(), "HEAD", pageURL, "").cached, "STALE-WHILE-REVALIDATE")
		synctest.Wait()
		require.Equal(t, "GET", up.request(1).Method)
		require.Equal(t, "newer", c.get().body)
	})
}

// A refresh that fails leaves what is stored, says so, and is tried again by the next call.
func TestRefreshThatFails(t *testing.T) {
	for name, then := range map[string]func(*http.Request) (*http.Response, error){
		"no connection":                    down,
		"an error":                         says(503),
		"an error that claims to be fresh": says(500, "Cache-Control", "max-age=60"),
		"a body that breaks off": func(*http.Request) (*http.Response, error) {
			resp := respond(200, "", "Cache-Control", "max-age=60")
			resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("x"), brokenReader{})), 5
			return resp, nil
		},
		"a panic": func(*http.Request) (*http.Response, error) { panic("boom") },
		"one that hangs": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
	} {
		for _, coalesce := range []bool{true, false} {
			bubble(t, name, func(t *testing.T) {
				var failed []error
				seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
					if e.Kind == httpcache.EventRefreshFailed {
						failed = append(failed, e.Err)
					}
				})
				up := afterwards(page("old", "Cache-Control", "max-age=10, stale-while-revalidate=600"), then)
				stage := newCache(t, func(c *httpcache.Config) { c.Coalesce = coalesce }, httpcache.WithReporter(middleware.Reporter{Observer: seen}))
				c := &client{t, middleware.Chain(up, stage.Wrap)}
				c.get()
				for i := range 2 {
					time.Sleep(60 * time.Second) // longer than refresh_timeout
					require.Equal(t, "old", c.get().body)
					synctest.Wait()
					require.Equal(t, i+2, up.count())
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				require.Len(t, failed, 2)
				require.Error(t, failed[0])
				s := stage.Stats()
				require.EqualValues(t, 2, s.RefreshesFailed)
				require.EqualValues(t, 2, s.Refreshes)
				require.EqualValues(t, 2, s.StaleWhileRevalidate)
			})
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// At most max_refreshes run at once; the others are served stale all the same.
func TestRefreshesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		up := &upstream{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n > 10 {
				most.Store(max(most.Load(), running.Add(1)))
				time.Sleep(time.Second)
				running.Add(-1)
			}
			return respond(200, "x", "Cache-Control", "max-age=10, stale-while-revalidate=600"), nil
		}}
		c := newClient(t, up, func(c *httpcache.Config) { c.MaxRefreshes = 3 })
		for round := range 2 {
			for i := range 10 {
				r := c.do(t.Context(), "GET", pageURL+"?"+string(rune('a'+i)), "")
				require.Equal(t, round == 1, strings.Contains(r.cached, "STALE-WHILE-REVALIDATE"))
			}
			time.Sleep(20 * time.Second)
		}
		require.EqualValues(t, 3, most.Load())
		require.Equal(t, 13, up.count())
	})
}

// Stop ends what runs in the background, and nothing begins any more.
func TestStopEndsTheRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := afterwards(page("old", "Cache-Control", "max-age=10, stale-while-revalidate=600"), func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			time.Sleep(time.Second) // does not hear well
			return nil, req.Context().Err()
		})
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(up, stage.Wrap)}
		require.NoError(t, newCache(t, nil).Stop(t.Context()), "nothing to end")
		c.get()
		time.Sleep(20 * time.Second)
		c.get()
		synctest.Wait()

		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorIs(t, stage.Stop(short), context.DeadlineExceeded)
		start := time.Now()
		require.NoError(t, stage.Stop(t.Context()))
		require.Equal(t, time.Second-time.Millisecond, time.Since(start))
		require.Equal(t, "old", c.get().body)
		synctest.Wait()
		require.Equal(t, 2, up.count())
	})
}

// An invalidation while the refresh is on its way is not undone by it.
func TestRefreshDoesNotUndoAnInvalidation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
			if n == 2 {
				time.Sleep(time.Second)
			}
			return respond(200, req.Method, "Cache-Control", "max-age=10, stale-while-revalidate=600"), nil
		}}
		c := newClient(t, up, nil)
		c.get()
		time.Sleep(20 * time.Second)
		c.get()
		synctest.Wait()
		c.do(t.Context(), "POST", pageURL, "x")
		time.Sleep(2 * time.Second)
		require.Contains(t, c.get().cached, "fwd=uri-miss")
	})
}

// RFC 5861, section 4; caching.md 15: what failed upstream is answered with the
// stale answer, which says so.
func TestRFC5861_4_StaleIfError(t *testing.T) {
	const failed = "headgate; fwd=stale; fwd-status=503; ttl=-10; detail=STALE-IF-ERROR"
	const unreachable = "headgate; fwd=stale; ttl=-10; detail=STALE-IF-ERROR"
	rejected := func(*http.Request) (*http.Response, error) {
		return nil, &middleware.RejectedError{Stage: "circuit_breaker", Err: errors.New("open")}
	}
	for name, test := range map[string]struct {
		given  string
		asked  []string
		config time.Duration
		then   func(*http.Request) (*http.Response, error)
		want   string
	}{
		"the answer says so":              {given: "max-age=10, stale-if-error=60", then: down, want: unreachable},
		"a refusal below":                 {given: "max-age=10, stale-if-error=60", then: rejected, want: unreachable},
		"a 503":                           {given: "max-age=10, stale-if-error=60", then: says(503), want: failed},
		"a 503 that claims to be fresh":   {given: "max-age=10, stale-if-error=60", then: says(503, "Cache-Control", "max-age=60"), want: failed},
		"the request says so":             {given: "max-age=10", asked: []string{"Cache-Control", "stale-if-error=60"}, then: says(503), want: failed},
		"the configuration says so":       {given: "max-age=10", config: time.Minute, then: says(503), want: failed},
		"an answer without any freshness": {given: "max-age=0, stale-if-error=60", then: says(503), want: "headgate; fwd=stale; fwd-status=503; ttl=-20; detail=STALE-IF-ERROR"},
	} {
		for _, coalesce := range []bool{true, false} {
			bubble(t, name, func(t *testing.T) {
				up := afterwards(page("old", "Cache-Control", test.given, "ETag", `"a"`), test.then)
				stage := newCache(t, func(c *httpcache.Config) { c.StaleIfError, c.Coalesce = test.config, coalesce })
				c := &client{t, middleware.Chain(up, stage.Wrap)}
				c.get()
				time.Sleep(20 * time.Second)
				for range 2 {
					r := c.get(test.asked...)
					require.Equal(t, 200, r.status)
					require.Equal(t, "old", r.body)
					require.Equal(t, test.want, r.cached)
					require.Equal(t, "20", r.header.Get("Age"))
				}
				require.EqualValues(t, 2, stage.Stats().StaleIfError)
				require.Equal(t, 304, c.get(append(test.asked, "If-None-Match", `"a"`)...).status, "the caller has it already")
				require.Equal(t, "l", c.get(append(test.asked, "Range", "bytes=1-1")...).body, "a part of it")
			})
		}
	}
}

// What the upstream said is passed on where the stale answer may not stand in.
func TestRFC5861_4_NotIfError(t *testing.T) {
	for name, test := range map[string]struct {
		given  string
		asked  []string
		config time.Duration
		after  time.Duration
		then   int
	}{
		"nobody says so":                {given: "max-age=10", then: 503},
		"beyond the window":             {given: "max-age=10, stale-if-error=60", after: 71 * time.Second, then: 503},
		"a request that forbids it":     {given: "max-age=10, stale-if-error=60", asked: []string{"Cache-Control", "stale-if-error=0"}, then: 503},
		"an answer that forbids it":     {given: "max-age=10, stale-if-error=0", config: time.Hour, then: 503},
		"must-revalidate":               {given: "max-age=10, must-revalidate, stale-if-error=60", then: 503},
		"no-cache":                      {given: "no-cache, stale-if-error=60", then: 503},
		"a caller who wants a new one":  {given: "max-age=10, stale-if-error=60", asked: []string{"Cache-Control", "no-cache"}, then: 503},
		"an error that is not of those": {given: "max-age=10, stale-if-error=60", then: 501},
		"too many requests":             {given: "max-age=10, stale-if-error=60", then: 429},
	} {
		bubble(t, name, func(t *testing.T) {
			up := afterwards(page("old", "Cache-Control", test.given, "ETag", `"a"`), says(test.then))
			c := newClient(t, up, func(c *httpcache.Config) { c.StaleIfError = test.config })
			c.get()
			time.Sleep(max(test.after, 20*time.Second))
			r := c.get(test.asked...)
			require.Equal(t, test.then, r.status)
			require.Equal(t, "sorry", r.body)
		})
	}
}

// Those who wait for one revalidation are all answered with the stale answer
// when it fails: an upstream that is down is not asked by each of them.
func TestStaleIfErrorIsShared(t *testing.T) {
	for name, then := range map[string]func(*http.Request) (*http.Response, error){"an error": down, "a 503": says(503)} {
		bubble(t, name, func(t *testing.T) {
			up := afterwards(page("old", "Cache-Control", "max-age=10, stale-if-error=60"), func(req *http.Request) (*http.Response, error) {
				time.Sleep(time.Second)
				return then(req)
			})
			c := newClient(t, up, nil)
			c.get()
			time.Sleep(20 * time.Second)
			var calls []<-chan outcome
			for range 10 {
				calls = append(calls, c.launch(t.Context()))
			}
			for _, call := range calls {
				o := <-call
				require.NoError(t, o.err)
				require.Equal(t, "old", o.body)
			}
			require.Equal(t, 2, up.count())
		})
	}
}

// A stage above sees what a hit would have shown it; one below saw the failure.
func TestStaleIfErrorIsASuccess(t *testing.T) {
	for _, coalesce := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var above, below []middleware.Verdict
			spy := func(to *[]middleware.Verdict) middleware.Middleware {
				return func(next http.RoundTripper) http.RoundTripper {
					return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
						ex, inner := middleware.Join(req)
						defer ex.Leave(req, &resp, &err)
						resp, err = next.RoundTrip(inner)
						*to = append(*to, ex.Outcome(resp, err).Verdict)
						return resp, err
					})
				}
			}
			up := afterwards(page("old", "Cache-Control", "max-age=10, stale-if-error=60"), says(503))
			stage := newCache(t, func(c *httpcache.Config) { c.Coalesce = coalesce })
			c := &client{t, middleware.Chain(up, spy(&above), stage.Wrap, spy(&below))}
			c.get()
			time.Sleep(20 * time.Second)
			c.get()
			require.Equal(t, []middleware.Verdict{middleware.Success, middleware.Success}, above)
			require.Equal(t, []middleware.Verdict{middleware.Success, middleware.Busy}, below)
		})
	}
}

// A caller who has gone gets the error of its own context.
func TestStaleIfErrorIsNotForThoseWhoLeft(t *testing.T) {
	for _, coalesce := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			up := afterwards(page("old", "Cache-Control", "max-age=10, stale-if-error=60"), func(req *http.Request) (*http.Response, error) {
				<-req.Context().Done()
				return nil, req.Context().Err()
			})
			c := newClient(t, up, func(c *httpcache.Config) { c.Coalesce = coalesce })
			c.get()
			time.Sleep(20 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, (<-c.launch(ctx)).err, context.DeadlineExceeded)
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			require.ErrorIs(t, (<-c.launch(ctx)).err, context.Canceled)
		})
	}
}

// RFC 9111, section 5.2.2.2; caching.md 6: what may not be used without asking is
// a 504 when nobody can be asked. It counts as what it is: a failure.
func TestRFC9111_5_2_2_2_UnreachableIs504(t *testing.T) {
	for name, test := range map[string]struct {
		given  string
		shared bool
		config time.Duration
	}{
		"must-revalidate":          {given: "max-age=10, must-revalidate"},
		"no-cache":                 {given: "no-cache, max-age=10"},
		"proxy-revalidate, shared": {given: "max-age=10, proxy-revalidate", shared: true},
		"s-maxage, shared":         {given: "s-maxage=10", shared: true},
		"whatever is configured":   {given: "max-age=10, must-revalidate", config: time.Hour},
	} {
		bubble(t, name, func(t *testing.T) {
			up := afterwards(page("old", "Cache-Control", test.given, "ETag", `"a"`), down)
			var events []middleware.Event
			seen := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) { events = append(events, e) })
			stage := newCache(t, func(c *httpcache.Config) {
				c.Shared, c.StaleIfError, c.StaleWhileRevalidate = test.shared, test.config, test.config
			}, httpcache.WithReporter(middleware.Reporter{Observer: seen}))
			var above middleware.Outcome
			c := &client{t, middleware.Chain(up, func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					ex, req := middleware.Join(req)
					resp, err := next.RoundTrip(req)
					above = ex.Outcome(resp, err)
					return resp, err
				})
			}, stage.Wrap)}
			c.get()
			time.Sleep(20 * time.Second)
			r := c.get("Cache-Control", "max-stale")
			require.Equal(t, 504, r.status)
			require.Empty(t, r.body)
			require.Equal(t, "headgate; fwd=stale; detail=UNREACHABLE", r.cached)
			require.Equal(t, middleware.Failure, above.Verdict)
			require.Equal(t, 504, above.Status)
			last := events[len(events)-1]
			require.Equal(t, httpcache.EventUnreachable, last.Kind)
			require.ErrorIs(t, last.Err, errDown)
		})
	}
}

// A refusal keeps saying who refused and when to come back.
func TestRefusalIsNot504(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refusal := &middleware.RejectedError{Stage: "circuit_breaker", Err: errors.New("open"), RetryAfter: time.Minute}
		up := afterwards(page("old", "Cache-Control", "max-age=10, must-revalidate"), func(*http.Request) (*http.Response, error) { return nil, refusal })
		c := newClient(t, up, nil)
		c.get()
		time.Sleep(20 * time.Second)
		require.ErrorIs(t, (<-c.launch(t.Context())).err, middleware.ErrRejected)
	})
}
