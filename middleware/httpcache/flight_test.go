package httpcache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// slow answers after a second, unless the request's context ends before.
func slow(make func() *http.Response) *upstream {
	return &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(time.Second):
			return make(), nil
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}}
}

func minute(body string) func() *http.Response {
	return func() *http.Response { return respond(200, body, "Cache-Control", "max-age=60") }
}

// outcome is what a concurrent call came to.
type outcome struct {
	resp *http.Response
	body string
	err  error // of RoundTrip or of the body
	took time.Duration
}

// launch starts a call and reads its body.
func (c *client) launch(ctx context.Context, header ...string) <-chan outcome {
	done := make(chan outcome, 1)
	req, _ := http.NewRequestWithContext(ctx, "GET", pageURL, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	start := time.Now()
	go func() {
		var o outcome
		defer func() { o.took = time.Since(start); done <- o }()
		if o.resp, o.err = c.rt.RoundTrip(req); o.err != nil {
			return
		}
		var b []byte
		b, o.err = io.ReadAll(o.resp.Body)
		o.body = string(b)
		_ = o.resp.Body.Close()
	}()
	return done
}

// caching.md 16: concurrent misses of one key make one upstream request.
func TestConcurrentMissesMakeOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := slow(minute("hello"))
		stage := newCache(t, nil)
		c := &client{t, middleware.Chain(up, stage.Wrap)}
		var calls []<-chan outcome
		for range 20 {
			calls = append(calls, c.launch(t.Context()))
		}
		collapsed := 0
		for _, call := range calls {
			o := <-call
			require.NoError(t, o.err)
			require.Equal(t, "hello", o.body)
			require.Equal(t, time.Second, o.took)
			if o.resp.Header.Get("Cache-Status") == "headgate; fwd=uri-miss; collapsed" {
				collapsed++
				require.Equal(t, "1", o.resp.Header.Get("Age"))
			}
		}
		require.Equal(t, 19, collapsed)
		require.Equal(t, 1, up.count())
		require.EqualValues(t, 19, stage.Stats().Collapsed)
		require.Equal(t, freshHit[:14], c.get().cached[:14])
	})
}

func TestConcurrentContentMakesOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := slow(func() *http.Response { return respond(200, "42") })
		c := newClient(t, up, chatRoute)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { require.Equal(t, "42", c.chat([]string{`{"q":1}`, `{"q":2}`}[i%2]).body) })
		}
		wg.Wait()
		require.Equal(t, 2, up.count())
		require.ElementsMatch(t, []string{`{"q":1}`, `{"q":2}`}, up.sent)
	})
}

// stream is a body that grows by a letter a second. It knows contexts, as a transport's does.
func stream(letters string) *upstream {
	return &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
		resp := respond(200, "", "Cache-Control", "max-age=60")
		resp.ContentLength, resp.Body = -1, &letterBody{ctx: req.Context(), rest: letters, closed: make(chan struct{})}
		return resp, nil
	}}
}

type letterBody struct {
	ctx    context.Context
	rest   string
	once   sync.Once
	closed chan struct{}
}

func (b *letterBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-b.closed:
		return 0, http.ErrBodyReadAfterClose
	}
	if b.rest == "" {
		return 0, io.EOF
	}
	p[0], b.rest = b.rest[0], b.rest[1:]
	return 1, nil
}

func (b *letterBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// caching.md 16, "Streaming": followers read the growing body, and nobody waits for more than there is.
func TestFollowersReadTheGrowingBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := stream("abc")
		c := newClient(t, up, nil)
		first := c.launch(t.Context())
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		var p [8]byte
		for i, want := range []struct {
			text string
			at   time.Duration
		}{{"a", 0}, {"b", 500 * time.Millisecond}, {"c", 1500 * time.Millisecond}} {
			n, err := resp.Body.Read(p[:])
			require.NoError(t, err, i)
			require.Equal(t, want.text, string(p[:n]))
			require.Equal(t, want.at, time.Since(start), "letter %d", i)
		}
		_, err = resp.Body.Read(p[:])
		require.Equal(t, io.EOF, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "abc", (<-first).body)
		require.Equal(t, 1, up.count())
		require.Contains(t, c.get().cached, "headgate; hit")
	})
}

// The leader's cancel is prompt and does not touch the others: not before the
// header is there, and not in the middle of the body.
func TestLeadersCancelDoesNotKillTheFollowers(t *testing.T) {
	for name, after := range map[string]time.Duration{"before the header": 500 * time.Millisecond, "in the body": 1500 * time.Millisecond} {
		bubble(t, name, func(t *testing.T) {
			growing := stream("abc")
			up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
				select {
				case <-time.After(time.Second):
				case <-req.Context().Done():
					return nil, req.Context().Err()
				}
				return growing.answer(n, req)
			}}
			c := newClient(t, up, nil)
			ctx, cancel := context.WithCancel(t.Context())
			leader := c.launch(ctx)
			synctest.Wait()
			followers := []<-chan outcome{c.launch(t.Context()), c.launch(t.Context())}
			time.Sleep(after)
			cancel()
			o := <-leader
			require.ErrorIs(t, o.err, context.Canceled)
			require.Equal(t, after, o.took)
			for _, f := range followers {
				o := <-f
				require.NoError(t, o.err)
				require.Equal(t, "abc", o.body)
				require.Equal(t, 5*time.Second, o.took)
			}
			require.Equal(t, 1, up.count())
			require.Contains(t, c.get().cached, "headgate; hit")
		})
	}
}

// When everybody has left, the upstream request ends, and with what error matters
// to a breaker below: a deadline is the upstream's fault, a cancel is not.
func TestUpstreamRequestEndsWithTheLastCaller(t *testing.T) {
	for name, test := range map[string]struct {
		leave func(context.Context) (context.Context, context.CancelFunc)
		want  error
		say   middleware.Verdict
	}{
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(500*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled, middleware.Neutral},
		"out of time": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 500*time.Millisecond)
		}, context.DeadlineExceeded, middleware.Failure},
	} {
		bubble(t, name, func(t *testing.T) {
			var ended error
			var at time.Duration
			var below settled
			start := time.Now()
			up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
				deadline, ok := req.Context().Deadline()
				require.Equal(t, name == "out of time", ok && deadline.Equal(start.Add(500*time.Millisecond)))
				<-req.Context().Done()
				ended, at = req.Context().Err(), time.Since(start)
				return nil, ended
			}}
			c := &client{t, middleware.Chain(up, newCache(t, nil).Wrap, below.wrap)}
			ctx, cancel := test.leave(t.Context())
			defer cancel()
			calls := []<-chan outcome{c.launch(ctx), c.launch(ctx)}
			for _, call := range calls {
				require.ErrorIs(t, (<-call).err, test.want)
			}
			synctest.Wait()
			require.Equal(t, test.want, ended)
			require.Equal(t, 500*time.Millisecond, at)
			require.Equal(t, test.say, below.outcome.Verdict)
			require.Equal(t, 1, up.count())
		})
	}
}

// settled is a stage that notes what its exchange came to.
type settled struct{ outcome middleware.Outcome }

func (s *settled) Settle(_ uint64, end middleware.End) { s.outcome = end.Outcome }

func (s *settled) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(s, 0)
		return next.RoundTrip(inner)
	})
}

// An abandoned body ends with its caller's context.
func TestAbandonedBodiesEndTheUpstreamRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := stream(strings.Repeat("x", 100))
		c := newClient(t, up, nil)
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			req, _ := http.NewRequestWithContext(ctx, "GET", pageURL, nil)
			_, err := c.rt.RoundTrip(req)
			require.NoError(t, err)
		}
		cancel()
		synctest.Wait()
		require.Error(t, up.request(0).Context().Err())
		require.Equal(t, 1, up.count())
	})
}

// caching.md 16: an uncacheable answer releases the followers in parallel, and nobody waits for the next.
func TestUncacheableAnswerReleasesTheFollowersInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := slow(func() *http.Response { return respond(200, "mine", "Cache-Control", "no-store") })
		c := newClient(t, up, nil)
		wave := func(slowest time.Duration) {
			var calls []<-chan outcome
			for range 20 {
				calls = append(calls, c.launch(t.Context()))
			}
			for _, call := range calls {
				o := <-call
				require.NoError(t, o.err)
				require.Equal(t, "mine", o.body)
				require.LessOrEqual(t, o.took, slowest)
			}
		}
		wave(2 * time.Second)
		require.Equal(t, 20, up.count())
		wave(time.Second) // it is known by now
		require.Equal(t, 40, up.count())
		time.Sleep(10 * time.Second)
		wave(2 * time.Second)
	})
}

func TestFollowersOfAnotherVariantAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return respond(200, req.Header.Get("Accept"), "Cache-Control", "max-age=60", "Vary", "Accept"), nil
		}}
		c := newClient(t, up, nil)
		calls := map[string]<-chan outcome{}
		for _, accept := range []string{"a", "b"} {
			calls[accept] = c.launch(t.Context(), "Accept", accept)
			synctest.Wait()
		}
		same := c.launch(t.Context(), "Accept", "a")
		for accept, call := range calls {
			require.Equal(t, accept, (<-call).body)
		}
		require.Equal(t, "a", (<-same).body)
		require.Equal(t, 2, up.count())
	})
}

// The leader is gone and nobody else wants what it asked for: the body is closed all the same.
func TestAnswerThatNobodyWantsAnyMoreIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan string, 2)
		up := &upstream{answer: func(_ int, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			accept := req.Header.Get("Accept")
			resp := respond(200, accept, "Cache-Control", "max-age=60", "Vary", "Accept")
			resp.Body = &told{resp.Body, func() { closed <- accept }}
			return resp, nil
		}}
		c := newClient(t, up, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		leader := c.launch(ctx, "Accept", "a")
		synctest.Wait()
		follower := c.launch(t.Context(), "Accept", "b")
		require.ErrorIs(t, (<-leader).err, context.DeadlineExceeded)
		require.Equal(t, "b", (<-follower).body)
		require.Equal(t, "a", <-closed)
		require.Equal(t, "b", <-closed)
	})
}

type told struct {
	io.ReadCloser
	tell func()
}

func (b *told) Close() error { b.tell(); return b.ReadCloser.Close() }

// A 304 makes the stored answer fresh for all who wait; a changed answer is shared as any other.
func TestRevalidationIsShared(t *testing.T) {
	for name, test := range map[string]struct {
		answer func() *http.Response
		body   string
		cached string // of the followers
	}{
		"confirmed": {func() *http.Response { return respond(304, "", "Cache-Control", "max-age=60") }, "old", "headgate; fwd=stale; fwd-status=304; stored; ttl=59; collapsed"},
		"changed":   {minute("new"), "new", "headgate; fwd=stale; collapsed"},
		"forbidden": {func() *http.Response { return respond(304, "", "Cache-Control", "no-store") }, "old", ""}, // RFC 9111, section 5.2.2.5: it must not answer any other request
	} {
		bubble(t, name, func(t *testing.T) {
			first := true
			up := slow(func() *http.Response {
				if first {
					first = false
					return respond(200, "old", "Cache-Control", "max-age=60", "Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")
				}
				return test.answer()
			})
			stage := newCache(t, nil)
			c := &client{t, middleware.Chain(up, stage.Wrap)}
			c.get()
			time.Sleep(time.Minute)
			calls := []<-chan outcome{c.launch(t.Context()), c.launch(t.Context()), c.launch(t.Context())}
			collapsed := 0
			for _, call := range calls {
				o := <-call
				require.NoError(t, o.err)
				require.Equal(t, test.body, o.body)
				if strings.HasSuffix(o.resp.Header.Get("Cache-Status"), "collapsed") {
					collapsed++
					if test.cached != "" {
						require.Equal(t, test.cached, o.resp.Header.Get("Cache-Status"))
					}
				}
			}
			require.Equal(t, map[bool]int{true: 0, false: 2}[name == "forbidden"], collapsed)
			require.Equal(t, map[bool]int{true: 4, false: 2}[name == "forbidden"], up.count())
			require.Equal(t, "Sun, 06 Nov 1994 08:49:37 GMT", up.request(1).Header.Get("If-Modified-Since"))
			want := uint64(2)
			if name == "forbidden" {
				want = 1
			}
			require.Equal(t, want, stage.Stats().Stored)
		})
	}
}

// RFC 9111, section 4: what may not be reused may not be shared. Who waited asks again, all in parallel.
func TestAnswersThatMayNotBeReusedAreNotShared(t *testing.T) {
	for _, directive := range []string{"no-cache", "max-age=0", "max-age=1"} { // it takes a second to come
		bubble(t, directive, func(t *testing.T) {
			up := slow(func() *http.Response { return respond(200, "hello", "Cache-Control", directive, "ETag", `"a"`) })
			c := newClient(t, up, nil)
			calls := []<-chan outcome{c.launch(t.Context()), c.launch(t.Context()), c.launch(t.Context())}
			for _, call := range calls {
				o := <-call
				require.Equal(t, "hello", o.body)
				require.NotContains(t, o.resp.Header.Get("Cache-Status"), "collapsed")
				require.LessOrEqual(t, o.took, 2*time.Second)
			}
			require.Equal(t, 3, up.count())
		})
	}
}

// A caller who wants an answer of a certain age does not share one that is older.
func TestFollowersDirectivesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := slow(minute("hello"))
		c := newClient(t, up, nil)
		calls := []<-chan outcome{c.launch(t.Context())}
		synctest.Wait()
		calls = append(calls, c.launch(t.Context()), c.launch(t.Context(), "Cache-Control", "min-fresh=60"))
		for _, call := range calls {
			require.Equal(t, "hello", (<-call).body)
		}
		require.Equal(t, 2, up.count())
	})
}

// Who asks after a change was made does not share what was asked for before it.
func TestNobodyJoinsWhatWasAskedForBeforeAChange(t *testing.T) {
	for name, processes := range map[string]int{"by the same cache": 1, "by another process": 2} {
		bubble(t, name, func(t *testing.T) {
			up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodPut {
					return respond(204, ""), nil
				}
				time.Sleep(time.Second)
				return minute(fmt.Sprint(n))(), nil
			}}
			s := newByteStore()
			change := func(c *httpcache.Config) { c.PurgeWithin = 0 }
			_, c := over(t, s, up, change)
			other := c
			if processes == 2 {
				_, other = over(t, s, up, change)
			}
			first := c.launch(t.Context())
			time.Sleep(500 * time.Millisecond)
			other.do(t.Context(), http.MethodPut, pageURL, "x")
			second := c.launch(t.Context())
			require.Equal(t, "1", (<-first).body)
			require.Equal(t, "3", (<-second).body)
		})
	}
}

// A 304 may make private what a shared cache has stored.
func TestConfirmedAnswerThatIsPrivateNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := sequence(
			func() *http.Response { return respond(200, "hello", "Cache-Control", "max-age=1", "ETag", `"a"`) },
			func() *http.Response { return respond(304, "", "Cache-Control", "private, max-age=60", "ETag", `"a"`) },
		)
		c := newClient(t, up, func(c *httpcache.Config) { c.Shared = true })
		for i := range 4 {
			require.Equal(t, "hello", c.get().body)
			require.Equal(t, i+1, up.count())
			time.Sleep(time.Second)
		}
	})
}

// Some bodies say that they have ended when they are closed: that is no clean end.
func TestBodyThatEndsBecauseItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(int, *http.Request) (*http.Response, error) {
			resp := minute("")()
			r, w := io.Pipe()
			resp.ContentLength, resp.Body = -1, &told{r, func() { _ = w.Close() }}
			go func() { _, _ = w.Write([]byte("half")) }()
			return resp, nil
		}}
		c := newClient(t, up, nil)
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, make([]byte, 4))
		require.NoError(t, err)
		go func() { _, _ = resp.Body.Read(make([]byte, 1)) }()
		synctest.Wait()
		require.NoError(t, resp.Body.Close())
		synctest.Wait()
		require.Contains(t, c.launchAndClose().Header.Get("Cache-Status"), "fwd=uri-miss")
	})
}

// Who looked before an answer was stored, and begins a flight after it, finds the answer.
func TestStoredBetweenTheLookAndTheFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := memory.New(memory.DefaultConfig())
		require.NoError(t, err)
		late := &lateStore{Store: m}
		up := slow(minute("hello"))
		c := newClient(t, up, nil, httpcache.WithStore(late))
		late.delay.Store(int64(2 * time.Second))
		second := c.launch(t.Context())
		synctest.Wait()
		late.delay.Store(0)
		require.Equal(t, "hello", c.get().body)
		require.Equal(t, "hello", (<-second).body)
		require.Equal(t, 1, up.count())
	})
}

// lateStore delays what it has read.
type lateStore struct {
	*memory.Store
	delay atomic.Int64
}

func (s *lateStore) Get(ctx context.Context, key any) (any, error) {
	delay := time.Duration(s.delay.Load())
	v, err := s.Store.Get(ctx, key)
	time.Sleep(delay)
	return v, err
}

// In the body as before the header: what ends the upstream request tells the stages below whose doing it was.
func TestDeadlineInTheBodyIsADeadlineBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var below settled
		up := stream(strings.Repeat("x", 100))
		c := &client{t, middleware.Chain(up, newCache(t, nil).Wrap, below.wrap)}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		calls := []<-chan outcome{c.launch(ctx), c.launch(ctx)}
		for _, call := range calls {
			require.ErrorIs(t, (<-call).err, context.DeadlineExceeded)
		}
		synctest.Wait()
		require.Equal(t, middleware.Failure, below.outcome.Verdict)
		require.Equal(t, middleware.ReasonDeadline, below.outcome.Reason)
		require.Equal(t, 1, up.count())
	})
}

func TestErrorsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("no route to host")
		up := &upstream{answer: func(int, *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return nil, broken
		}}
		c := newClient(t, up, nil)
		first, second := c.launch(t.Context()), c.launch(t.Context())
		require.ErrorIs(t, (<-first).err, broken)
		require.ErrorIs(t, (<-second).err, broken)
		require.Equal(t, 1, up.count())
	})
}

// What a stage below refused because of the leader's deadline is not the followers' concern.
func TestFollowerWithMoreTimeTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if n == 1 {
				return nil, &middleware.RejectedError{Stage: "semaphore", Cause: context.DeadlineExceeded}
			}
			return minute("hello")(), nil
		}}
		c := newClient(t, up, nil)
		short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		leader := c.launch(short)
		synctest.Wait()
		follower := c.launch(t.Context())
		require.ErrorIs(t, (<-leader).err, middleware.ErrRejected)
		o := <-follower
		require.NoError(t, o.err)
		require.Equal(t, "hello", o.body)
	})
}

// resilience.md 4: a panic below goes on up in the caller's goroutine; the others look after themselves.
func TestPanicBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(n int, _ *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if n == 1 {
				panic("below")
			}
			return minute("hello")(), nil
		}}
		c := newClient(t, up, nil)
		follower := make(chan (<-chan outcome), 1)
		time.AfterFunc(500*time.Millisecond, func() { follower <- c.launch(t.Context()) })
		req, _ := http.NewRequest("GET", pageURL, nil)
		require.PanicsWithValue(t, "below", func() { _, _ = c.rt.RoundTrip(req) })
		require.Equal(t, "hello", (<-<-follower).body)
	})
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("in the body") }

func TestPanicInTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, sequence(func() *http.Response {
			resp := minute("")()
			resp.Body, resp.ContentLength = io.NopCloser(panicking{}), -1
			return resp
		}), nil)
		req, _ := http.NewRequest("GET", pageURL, nil)
		resp, err := c.rt.RoundTrip(req)
		require.NoError(t, err)
		require.PanicsWithValue(t, "in the body", func() { _, _ = resp.Body.Read(make([]byte, 1)) })
		require.NoError(t, resp.Body.Close())
	})
}

// The application's own check runs in the flight: its panic is the callers', and nobody waits for ever.
func TestPanicInTheCheckOfCompleteness(t *testing.T) {
	for name, body := range map[string]string{"of a body": "hello", "of an empty one": ""} {
		for when, pause := range map[string]time.Duration{"at once": 0, "later": time.Second} {
			t.Run(name+", "+when, func(t *testing.T) {
				both(t, func(t *testing.T, change func(*httpcache.Config)) {
					base := sequence(func() *http.Response {
						resp := minute(body)()
						resp.ContentLength = -1
						if body == "" {
							resp.ContentLength = 0
						}
						return resp
					})
					check := httpcache.WithComplete(func(int, http.Header, []byte) bool {
						time.Sleep(pause)
						panic("in the check")
					})
					c := newClient(t, slow(func() *http.Response { resp, _ := base.answer(1, nil); return resp }), change, check)
					one := func() (v any) {
						defer func() { v = recover() }()
						req, _ := http.NewRequestWithContext(t.Context(), "GET", pageURL, nil)
						resp, err := c.rt.RoundTrip(req)
						require.NoError(t, err)
						defer func() { _ = resp.Body.Close() }()
						_, err = io.ReadAll(resp.Body)
						require.NoError(t, err)
						return nil
					}
					caught := make(chan any, 2)
					for range 2 {
						go func() { caught <- one() }()
					}
					require.Equal(t, "in the check", <-caught)
					require.Equal(t, "in the check", <-caught)
				})
			})
		}
	}
}

// What a provider stage decided below reaches the stages above, leader and followers alike.
func TestOutcomeDecidedBelowReachesTheStagesAbove(t *testing.T) {
	for name, decided := range map[string]middleware.Outcome{
		"an error in disguise": {Verdict: middleware.Exhausted, Status: 200, Reason: "quota"},
		"a success":            {Verdict: middleware.Success, Status: 200, Reason: "so there"},
	} {
		bubble(t, name, func(t *testing.T) {
			provider := func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					ex, req := middleware.Join(req)
					resp, err := next.RoundTrip(req)
					ex.Decide(decided)
					return resp, err
				})
			}
			var mu sync.Mutex
			var got []middleware.Outcome
			above := func(next http.RoundTripper) http.RoundTripper {
				return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
					ex, req := middleware.Join(req)
					resp, err := next.RoundTrip(req)
					mu.Lock()
					defer mu.Unlock()
					got = append(got, ex.Outcome(resp, err))
					return resp, err
				})
			}
			up := slow(minute("quota exceeded"))
			c := &client{t, middleware.Chain(up, above, newCache(t, nil).Wrap, provider)}
			calls := []<-chan outcome{c.launch(t.Context()), c.launch(t.Context())}
			for _, call := range calls {
				require.Equal(t, 200, (<-call).resp.StatusCode)
			}
			require.Equal(t, []middleware.Outcome{decided, decided}, got)
			want := 1
			if decided.Verdict != middleware.Success {
				want = 2
			}
			require.Equal(t, want, up.count(), "an error in disguise is neither stored nor shared")
		})
	}
}

// Over max_entry_bytes the stream goes on, for those who keep up.
func TestSharedBodyOverTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 4 << 20
		gate := make(chan struct{})
		up := sequence(func() *http.Response {
			resp := minute("")()
			resp.ContentLength = -1
			resp.Body = io.NopCloser(io.MultiReader(gated(gate), io.LimitReader(letters{}, total)))
			return resp
		})
		c := newClient(t, up, func(c *httpcache.Config) { c.MaxEntryBytes = 256 << 10 })
		open := func() *http.Response {
			req, _ := http.NewRequest("GET", pageURL, nil)
			resp, err := c.rt.RoundTrip(req)
			require.NoError(t, err)
			return resp
		}
		fast, behind := open(), open()
		follower := open()
		close(gate)
		half := make([]byte, total/2)
		for _, resp := range []*http.Response{fast, follower} { // by turns, within the limit
			_, err := io.ReadFull(resp.Body, half[:128<<10])
			require.NoError(t, err)
		}
		for range (total - 128<<10) / (64 << 10) {
			for _, resp := range []*http.Response{fast, follower} {
				_, err := io.ReadFull(resp.Body, half[:64<<10])
				require.NoError(t, err)
			}
		}
		for _, resp := range []*http.Response{fast, follower} {
			rest, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Empty(t, rest)
			require.NoError(t, resp.Body.Close())
		}
		_, err := io.ReadAll(behind.Body)
		require.ErrorIs(t, err, httpcache.ErrFellBehind)
		require.NoError(t, behind.Body.Close())
		require.Equal(t, 1, up.count())
		require.Contains(t, c.launchAndClose().Header.Get("Cache-Status"), "fwd=uri-miss")
	})
}

func (c *client) launchAndClose() *http.Response {
	req, _ := http.NewRequest("GET", pageURL, nil)
	resp, err := c.rt.RoundTrip(req)
	require.NoError(c.t, err)
	require.NoError(c.t, resp.Body.Close())
	return resp
}

// letters is endless.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// gated is empty, and ends when the gate opens.
func gated(gate <-chan struct{}) io.Reader { return gateReader{gate} }

type gateReader struct{ gate <-chan struct{} }

func (g gateReader) Read([]byte) (int, error) {
	<-g.gate
	return 0, io.EOF
}

// The trailer that the upstream announced is there from the header on, and its values
// once this caller has read the body to its end, not when the flight has.
func TestTrailerComesWithTheEndOfOnesOwnBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(int, *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			resp := respond(200, "", "Cache-Control", "max-age=60")
			resp.Trailer = http.Header{"X-Sum": nil}
			resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("hello"), atEnd(func() {
				resp.Trailer["X-Sum"] = []string{"5"}
			}))), -1
			return resp, nil
		}}
		c := newClient(t, up, nil)
		var all [2]*http.Response
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				req, _ := http.NewRequest("GET", pageURL, nil)
				all[i], _ = c.rt.RoundTrip(req)
			})
		}
		wg.Wait()
		synctest.Wait() // the flight has read all of it
		for _, resp := range all {
			require.Equal(t, http.Header{"X-Sum": nil}, resp.Trailer)
			copied := *resp // by a stage further up
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "hello", string(b))
			require.Equal(t, "5", copied.Trailer.Get("X-Sum"))
			require.NoError(t, resp.Body.Close())
		}
		require.Equal(t, 1, up.count())
	})
}

// atEnd runs when it is read, and is empty.
type atEnd func()

func (f atEnd) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

// 64 callers, cancels and slow readers at once: every answer that is whole is right, nothing is left behind.
func TestManyCallersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := strings.Repeat("0123456789", 1700) // more than a byte store keeps inline
		up := &upstream{answer: func(n int, req *http.Request) (*http.Response, error) {
			select {
			case <-time.After(time.Duration(n%7) * time.Millisecond):
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
			resp := respond(200, want, "Cache-Control", "max-age=1")
			if n%3 == 0 {
				resp.ContentLength = -1
			}
			return resp, nil
		}}
		c := newClient(t, up, nil)
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				for j := range 50 {
					ctx, cancel := context.WithCancel(t.Context())
					if (i+j)%5 == 0 {
						time.AfterFunc(time.Duration(j%4)*time.Millisecond, cancel)
					}
					o := <-c.launch(ctx)
					if o.err == nil {
						require.Equal(t, want, o.body)
					} else {
						require.ErrorIs(t, o.err, context.Canceled)
					}
					cancel()
					time.Sleep(time.Duration((i*j)%300) * time.Millisecond)
				}
			})
		}
		wg.Wait()
		require.Less(t, up.count(), 64*50/4)
	})
}

// The quickstart's case: 200 prompts drawn from a Zipf distribution, 1,000 calls
// a second in open loop from a cold start, 50 ms of service time. Every prompt goes
// upstream once, and nobody waits longer than for that (performance.md).
func TestZipfPromptsFromAColdStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{answer: func(int, *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Millisecond)
			return respond(200, "answer"), nil
		}}
		c := newClient(t, up, chatRoute)
		const calls = 4000
		prompts := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 199)
		var wg sync.WaitGroup
		for range calls {
			prompt := fmt.Sprintf(`{"prompt":%d}`, prompts.Uint64())
			wg.Go(func() {
				start := time.Now()
				require.Equal(t, "answer", c.chat(prompt).body)
				require.LessOrEqual(t, time.Since(start), 50*time.Millisecond)
			})
			time.Sleep(time.Millisecond)
		}
		wg.Wait()
		distinct := map[string]bool{}
		for _, prompt := range up.sent {
			require.False(t, distinct[prompt], "sent twice")
			distinct[prompt] = true
		}
		require.LessOrEqual(t, float64(up.count())/calls, 0.05)
	})
}
