package semaphore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

// burst sends n requests at once and waits for all of them.
func burst(ctx context.Context, rt http.RoundTripper, n int) {
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() { _ = get(ctx, rt, "http://a/") })
	}
	calls.Wait()
}

// answering takes 50 ms for an answer.
func answering(f func(*http.Request) (*http.Response, error)) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		time.Sleep(50 * time.Millisecond)
		return f(req)
	})
}

func with(status int, body string, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
	}
}

// Requirements 14, 15 and 21.
func TestWhatIsADrop(t *testing.T) {
	hanging := func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	for _, tt := range []struct {
		name    string
		answer  func(*http.Request) (*http.Response, error)
		timeout time.Duration
		drop    bool
	}{
		{"503", with(503, ""), 0, true},
		{"529", with(529, ""), 0, true},
		{"503 with Retry-After", with(503, "", "Retry-After", "1"), 0, true},
		{"429 without a hint", with(429, ""), 0, true},
		{"429 with a hint: that is for the gate", with(429, "", "Retry-After", "1"), 0, false},
		{"404", with(404, ""), 0, false},
		{"402", with(402, ""), 0, false},
		{"500", with(500, ""), 0, false},
		{"a broken connection", func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }, 0, false},
		{"refused by a stage further in", func(*http.Request) (*http.Response, error) {
			return nil, &middleware.RejectedError{Stage: "x"}
		}, 0, false},
		{"no answer in ten times of what is usual", hanging, 500 * time.Millisecond, true},
		{"no answer, but the caller was in a hurry", hanging, 90 * time.Millisecond, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := with(200, "ok")
				s := adaptiveStage(t, func(c *semaphore.Config) { c.Reserve = time.Nanosecond })
				rt := s.Wrap(answering(func(req *http.Request) (*http.Response, error) { return answer(req) }))
				for range 5 {
					burst(t.Context(), rt, 10)
				}
				before := s.Stats()[0]
				require.Greater(t, before.Limit, 10)
				require.Equal(t, 50*time.Millisecond, before.Latency)
				answer = tt.answer
				ctx := t.Context()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				burst(ctx, rt, before.Limit)
				after := s.Stats()[0]
				if tt.drop {
					left := 0.9
					if tt.timeout > 0 {
						left = 0.5 // nothing has succeeded for so long
					}
					require.InDelta(t, float64(before.Limit)*left, after.Limit, 0.51, "one decrease for a round trip")
					require.NotZero(t, after.Drops)
				} else {
					require.Equal(t, before.Limit, after.Limit)
					require.Zero(t, after.Drops)
				}
				time.Sleep(time.Second)
				n, waiting := inUse(s)
				require.Zero(t, n+waiting)
			})
		})
	}
}

// Requirement 21: a stream that stalls after its headers.
func TestABodyThatStallsIsADrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := errors.New("stalled")
		stall := false
		s := adaptiveStage(t, nil)
		rt := middleware.Chain(answering(func(req *http.Request) (*http.Response, error) {
			if !stall {
				return with(200, "ok")(req)
			}
			middleware.FromContext(req.Context()).Limit(time.Now().Add(time.Second), stalled)
			r, _ := io.Pipe()
			context.AfterFunc(req.Context(), func() { _ = r.CloseWithError(stalled) })
			return &http.Response{StatusCode: 200, Body: r, Request: req}, nil
		}), s.Wrap)
		for range 5 {
			burst(t.Context(), rt, 10)
		}
		before := s.Stats()[0].Limit
		stall = true
		burst(t.Context(), rt, before)
		require.Less(t, s.Stats()[0].Limit, before)
		require.NotZero(t, s.Stats()[0].Drops)
	})
}

func TestLimitDoesNotGrowUnlessItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := adaptiveStage(t, nil)
		rt := s.Wrap(answering(with(200, "ok")))
		for range 200 {
			burst(t.Context(), rt, 5)
		}
		require.Equal(t, 10, s.Stats()[0].Limit)
	})
}

func TestLimitStaysWithinItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := with(200, "ok")
		bounded := func(c *semaphore.Config) { c.MinConcurrent, c.InitialConcurrent, c.MaxConcurrent = 3, 50, 12 }
		s := adaptiveStage(t, bounded)
		rt := s.Wrap(answering(func(req *http.Request) (*http.Response, error) { return answer(req) }))
		for range 10 {
			burst(t.Context(), rt, 40)
			require.Equal(t, 12, s.Stats()[0].Limit)
		}
		answer = with(503, "")
		for range 40 {
			burst(t.Context(), rt, 40)
		}
		require.Equal(t, 3, s.Stats()[0].Limit)
		cfg := unbounded()
		cfg.MaxConcurrent = 2
		require.NoError(t, s.Update(cfg))
		require.Equal(t, 2, s.Stats()[0].Limit)
		cfg.Limit, cfg.MaxConcurrent = semaphore.LimitFixed, 7
		require.NoError(t, s.Update(cfg))
		require.Equal(t, 7, s.Stats()[0].Limit)
	})
}

// An upstream that becomes four times as slow by itself is not queueing, and a
// lower limit would only add to the damage.
func TestASlowerUpstreamIsNotTakenForAFullOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &simulated{slots: 1000, service: constant(50 * time.Millisecond), begin: time.Now()}
		s := adaptiveStage(t, func(c *semaphore.Config) { c.MaxConcurrent = 30 })
		w := work(t, s.Wrap(up), 100, 0)
		time.Sleep(5 * time.Second)
		up.set(func() { up.service = constant(200 * time.Millisecond) })
		time.Sleep(10 * time.Second)
		limit, goodput := s.Stats()[0].Limit, w.goodput(10*time.Second, 15*time.Second)
		w.end()
		t.Logf("limit %d, goodput %.1f of 150", limit, goodput)
		require.GreaterOrEqual(t, limit, 25)
		require.Greater(t, goodput, 0.9*150)
	})
}

// Answers that differ by nature are no queue either.
func TestScatteredLatencyDoesNotShrinkTheLimit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		service func(i int) time.Duration
		mean    time.Duration
	}{
		{"by a factor of ten", func(i int) time.Duration { return time.Duration(20+(i*7919%181)) * time.Millisecond }, 110 * time.Millisecond},
		{"one in ten takes twenty times as long", func(i int) time.Duration {
			if rand.New(rand.NewPCG(uint64(i), 1)).IntN(10) == 0 {
				return time.Second
			}
			return 50 * time.Millisecond
		}, 145 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const most = 40
				up := &simulated{slots: 1000, service: tt.service, begin: time.Now()}
				s := adaptiveStage(t, func(c *semaphore.Config) { c.MaxConcurrent = most })
				w := work(t, s.Wrap(up), 100, 0)
				time.Sleep(20 * time.Second)
				goodput := w.goodput(5*time.Second, 20*time.Second) / (most / tt.mean.Seconds())
				limit := s.Stats()[0].Limit
				w.end()
				t.Logf("limit %d, goodput %.1f %%", limit, 100*goodput)
				require.Greater(t, goodput, 0.85)
			})
		})
	}
}

// What did not answer tells how patient the caller was, not what to reserve.
func TestTimeoutsAreNoServiceTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &simulated{slots: 1000, service: constant(50 * time.Millisecond), begin: time.Now()}
		s := adaptiveStage(t, nil)
		rt := s.Wrap(up)
		for range 5 {
			burst(t.Context(), rt, 10)
		}
		require.Equal(t, 50*time.Millisecond, s.Stats()[0].Reserve)
		up.set(func() { up.down = context.DeadlineExceeded })
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			burst(ctx, rt, 10)
			cancel()
		}
		require.Equal(t, 50*time.Millisecond, s.Stats()[0].Reserve)
	})
}

func TestAnUpstreamsOwnWordIsAnUpperBound(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*semaphore.Config)
		answer func(*http.Request) (*http.Response, error)
		want   int
	}{
		{"in the text of a 429", nil, with(429, `{"error":{"message":"You have reached your concurrency limit of 4."}}`, "Retry-After", "1"), 4},
		{"worded otherwise", nil, with(429, "Concurrent request limit: 4", "Retry-After", "1"), 4},
		{"compressed, so not read", nil, with(429, "concurrency limit of 4", "Content-Encoding", "gzip", "Retry-After", "1"), 10},
		{"beyond what is read", nil, with(429, strings.Repeat(" ", 4096)+"concurrency limit of 4", "Retry-After", "1"), 10},
		{"higher than the limit that was found", nil, with(429, "concurrency limit of 400", "Retry-After", "1"), 10},
		{"zero says nothing", nil, with(429, "concurrency limit of 0", "Retry-After", "1"), 10},
		{"switched off", func(c *semaphore.Config) { c.LearnLimit = false }, with(429, "concurrency limit of 4", "Retry-After", "1"), 10},
		{"not in a 400", nil, with(400, "concurrency limit of 4"), 10},
		{"as a provider stage read it", nil, func(req *http.Request) (*http.Response, error) {
			middleware.FromContext(req.Context()).Decide(middleware.Outcome{Verdict: middleware.Pushback, Hinted: true, Concurrency: 4, Status: 429})
			return with(429, "")(req)
		}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := adaptiveStage(t, tt.change)
				var body []byte
				rt := middleware.Chain(answering(func(req *http.Request) (*http.Response, error) {
					resp, err := tt.answer(req)
					body, _ = io.ReadAll(resp.Body)
					resp.Body = io.NopCloser(strings.NewReader(string(body)))
					return resp, err
				}), s.Wrap)
				req, _ := http.NewRequest("GET", "http://a/", nil)
				resp, err := rt.RoundTrip(req)
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.Equal(t, body, got, "the body is still there")
				require.NoError(t, resp.Body.Close())
				require.Equal(t, tt.want, s.Stats()[0].Limit)
			})
		})
	}
}

func TestAnUpstreamsWordIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := with(429, "concurrency limit of 4", "Retry-After", "1")
		s := adaptiveStage(t, nil)
		rt := s.Wrap(answering(func(req *http.Request) (*http.Response, error) { return answer(req) }))
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		require.Equal(t, 4, s.Stats()[0].Stated)
		answer = with(200, "ok")
		for range 50 {
			burst(t.Context(), rt, 50)
		}
		require.Equal(t, 4, s.Stats()[0].Limit)
		time.Sleep(10 * time.Minute)
		for range 50 {
			burst(t.Context(), rt, 50)
		}
		require.Greater(t, s.Stats()[0].Limit, 4)
		require.Zero(t, s.Stats()[0].Stated)
	})
}

// A refusal that comes at once must not free its permit for the next one
// sooner than an answer would: an outage would burn the queue.
func TestAnOutageDoesNotBurnTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &simulated{slots: 10, service: constant(50 * time.Millisecond), refuses: time.Millisecond, begin: time.Now()}
		s := adaptiveStage(t, nil)
		rt := s.Wrap(up)
		for range 5 {
			burst(t.Context(), rt, 10)
		}
		up.set(func() { up.down = errBusy })
		time.AfterFunc(time.Second, func() { up.set(func() { up.down = nil }) })
		var calls sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for range 300 {
			calls.Go(func() {
				code := status(t.Context(), rt)
				mu.Lock()
				defer mu.Unlock()
				got[code]++
			})
		}
		calls.Wait()
		t.Logf("%v", got)
		require.Less(t, got[503], 100, "they waited until it was over")
	})
}

func TestNewLimitIsToldAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		s := adaptiveStage(t, nil, semaphore.WithReporter(middleware.Reporter{Observer: middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
			if e.Kind == semaphore.EventLimitChanged {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, fmt.Sprint(e.Stage, " ", e.Key, " ", e.Attrs))
			}
		})}))
		rt := s.Wrap(answering(with(503, "")))
		for range 60 { // three seconds
			burst(t.Context(), rt, 10)
		}
		require.NotEmpty(t, told)
		require.LessOrEqual(t, len(told), 4)
		require.Equal(t, "semaphore a [from=10 limit=9]", told[0])
	})
}

func FuzzStatedLimit(f *testing.F) {
	f.Add("Your concurrency limit of 30 is reached")
	f.Add("concurrency limit of 99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := semaphore.New(unbounded())
		require.NoError(t, err)
		rt := s.Wrap(middleware.RoundTripperFunc(with(429, text, "Retry-After", "1")))
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		k := s.Stats()[0]
		require.True(t, k.Limit >= 1 && k.Limit <= 10, k.Limit)
		require.True(t, k.Stated >= 0 && k.Stated < 1e6, k.Stated)
	})
}
