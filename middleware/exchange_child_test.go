package middleware_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// repeating sends the request until it succeeds, as a retry does; it closes what it discards.
func repeating(attempts int) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, req := middleware.Join(req)
			for range attempts {
				if resp != nil {
					_ = resp.Body.Close()
				}
				resp, err = attempt(ex, req, next)
				if err == nil && resp.StatusCode < 500 {
					break
				}
			}
			return resp, err
		})
	}
}

func attempt(ex *middleware.Exchange, req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	child, inner := ex.Child(req)
	defer child.Leave(req, &resp, &err)
	return next.RoundTrip(inner)
}

// numbering settles an attempt under its number, 100 for the first attempt of a call and so on.
func numbering(rec *recorder) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, inner := middleware.Join(req)
			ex.OnEnd(rec, uint64(ex.Attempt())*100)
			return next.RoundTrip(inner)
		})
	}
}

func TestAttemptsSettleByThemselvesAndTheCallWithTheLast(t *testing.T) {
	for _, between := range []struct {
		name  string
		stage middleware.Middleware
	}{
		{"nothing between", nil},
		{"a stage that wraps the body", wrappingBody},
		{"another level of attempts", oneAttempt},
	} {
		t.Run(between.name, func(t *testing.T) {
			var rec recorder
			statuses := []int{503, 500, 200}
			base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				status := statuses[0]
				statuses = statuses[1:]
				return answer(status, text("body")).RoundTrip(req)
			})
			rt := middleware.Chain(base, watching(&rec, 1, 0), between.stage, repeating(5), numbering(&rec))
			resp, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.Equal(t, []uint64{100, 200}, rec.tokens(), "the discarded attempts are over")
			content, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "body", string(content))
			require.Equal(t, []uint64{100, 200, 300, 1}, rec.tokens())
			require.Equal(t, 503, rec.once(t, 100).Outcome.Status)
			require.Equal(t, 500, rec.once(t, 200).Outcome.Status)
			require.Equal(t, 200, rec.once(t, 300).Outcome.Status)
			require.Equal(t, 200, rec.once(t, 1).Outcome.Status)
			require.NotSame(t, rec.once(t, 300).Exchange, rec.once(t, 1).Exchange)
		})
	}
}

func TestABodyEndsTheAttemptsOfAllLevels(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*testing.T, *http.Response)
	}{
		{"at its end", func(t *testing.T, resp *http.Response) {
			_, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
		}},
		{"when it is closed", func(t *testing.T, resp *http.Response) { require.NoError(t, resp.Body.Close()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rec recorder
			rt := middleware.Chain(answer(200, text("ok")), watching(&rec, 1, 0), oneAttempt, watching(&rec, 2, 0),
				oneAttempt, watching(&rec, 3, 0), oneAttempt, watching(&rec, 4, 0))
			resp, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			tt.end(t, resp)
			require.Equal(t, []uint64{4, 3, 2, 1}, rec.tokens())
			for token := range uint64(4) {
				require.Equal(t, middleware.Success, rec.once(t, token+1).Outcome.Verdict)
			}
		})
	}
}

// The outer exchange of a wrapped body may have nothing registered at all.
func TestABodyWrappedAboveAnAttemptStaysReadable(t *testing.T) {
	var rec recorder
	rt := middleware.Chain(answer(200, func(req *http.Request) io.ReadCloser {
		return io.NopCloser(ctxReader{req.Context(), "tail"})
	}), wrappingBody, oneAttempt, watching(&rec, 2, 0))
	resp, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.Empty(t, rec.tokens())
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "tail", string(content))
	require.Equal(t, middleware.Success, rec.once(t, 2).Outcome.Verdict)
}

// ctxReader looks at its context as bodies do that never wait for it.
type ctxReader struct {
	ctx  context.Context
	text string
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return copy(p, r.text), io.EOF
}

func TestABodyMayLookAtTheContextOfACallThatNobodyWatches(t *testing.T) {
	passing := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, next.RoundTrip)
	}
	for name, stages := range map[string][]middleware.Middleware{
		"a chain":                 {passing},
		"a chain with an attempt": {passing, oneAttempt},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var inner context.Context
			rt := middleware.Chain(answer(200, func(req *http.Request) io.ReadCloser {
				inner = req.Context()
				return io.NopCloser(ctxReader{inner, "tail"})
			}), stages...)
			resp, err := rt.RoundTrip(request(ctx, t))
			require.NoError(t, err)
			content, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "tail", string(content))
			require.Nil(t, middleware.FromContext(inner), "it is over all the same")
			cancel()
			<-inner.Done()
			require.ErrorIs(t, inner.Err(), context.Canceled)
		})
	}
}

func TestAttemptsSideBySide(t *testing.T) {
	for _, wins := range []string{"the first", "the second"} {
		t.Run(wins+" wins", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var rec recorder
				fast := 1
				if wins == "the second" {
					fast = 2
				}
				base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					if middleware.FromContext(req.Context()).Attempt() == fast {
						time.Sleep(time.Second)
						return answer(200, text("won")).RoundTrip(req)
					}
					return hangs(req)
				})
				var losers sync.WaitGroup
				rt := middleware.Chain(base, watching(&rec, 1, 0), racing(2, &losers), numbering(&rec))
				resp, err := rt.RoundTrip(request(t.Context(), t))
				require.NoError(t, err)
				synctest.Wait()
				require.Empty(t, rec.tokens(), "the loser is in flight, the winner's body open")
				require.NoError(t, resp.Body.Close())
				losers.Wait()
				require.Equal(t, middleware.Success, rec.once(t, uint64(fast*100)).Outcome.Verdict)
				require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict)
				loser := rec.once(t, uint64((3-fast)*100))
				require.Equal(t, middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled}, loser.Outcome,
					"the end of the call ends what still runs within it")
			})
		})
	}
}

// racing sends n attempts at once and returns the first answer.
func racing(n int, running *sync.WaitGroup) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, req := middleware.Join(req)
			answers := make(chan *http.Response, n)
			for range n {
				child, inner := ex.Child(req)
				running.Go(func() {
					resp, err := func() (resp *http.Response, err error) {
						defer child.Leave(req, &resp, &err)
						return next.RoundTrip(inner)
					}()
					if err == nil {
						answers <- resp
					}
				})
			}
			return <-answers, nil
		})
	}
}

func TestAStageThatCancelsWhatItDerivedIsNeutral(t *testing.T) {
	var rec recorder
	giving := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancel(req.Context())
			cancel()
			return next.RoundTrip(req.WithContext(ctx))
		})
	}
	_, err := middleware.Chain(middleware.RoundTripperFunc(hangs), watching(&rec, 1, 0), giving).RoundTrip(request(t.Context(), t))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled}, rec.once(t, 1).Outcome)
}

func TestEndsReachAttemptsAndNotTheOtherWay(t *testing.T) {
	t.Run("the caller's cancel reaches an attempt within an attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			var rec recorder
			_, err := middleware.Chain(middleware.RoundTripperFunc(hangs), oneAttempt, oneAttempt, watching(&rec, 1, 0)).RoundTrip(request(ctx, t))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, middleware.Neutral, rec.once(t, 1).Outcome.Verdict)
		})
	})
	t.Run("a limit of the call ends its attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var rec recorder
			_, err := middleware.Chain(middleware.RoundTripperFunc(hangs), watching(&rec, 1, time.Second), oneAttempt, watching(&rec, 2, 0)).
				RoundTrip(request(t.Context(), t))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, time.Second, time.Since(start))
			require.ErrorIs(t, rec.once(t, 2).Exchange.Cause(), errLimit)
			require.Equal(t, middleware.ReasonTimeout, rec.once(t, 2).Outcome.Reason)
		})
	})
	t.Run("a limit of an attempt leaves the call and the next attempt alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var rec recorder
			tries := 0
			base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				if tries++; tries == 1 {
					return hangs(req)
				}
				return answer(200, text("ok")).RoundTrip(req)
			})
			rt := middleware.Chain(base, watching(&rec, 1, 0), repeating(2), watching(&rec, 2, time.Second))
			resp, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.Equal(t, time.Second, time.Since(start))
			require.Equal(t, []uint64{2}, rec.tokens())
			require.Equal(t, middleware.ReasonTimeout, rec.once(t, 2).Outcome.Reason)
			content, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "ok", string(content))
			require.NoError(t, rec.once(t, 1).Exchange.Cause())
		})
	})
	t.Run("a limit of the attempt whose body the caller reads ends both", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var rec recorder
			rt := middleware.Chain(answer(200, hanging), watching(&rec, 1, 0), oneAttempt, watching(&rec, 2, time.Second))
			_, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
			for _, token := range []uint64{1, 2} {
				end := rec.once(t, token)
				require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Status: 200}, end.Outcome)
				require.ErrorIs(t, end.Err, errLimit)
			}
		})
	})
}

func TestAnAttemptOfACallThatIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var rec recorder
	late := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, req := middleware.Join(req)
			<-ex.Done()
			return attempt(ex, req, next)
		})
	}
	resp, err := middleware.Chain(answer(200, hanging), late, watching(&rec, 1, 0)).RoundTrip(request(ctx, t))
	require.NoError(t, err)
	require.Equal(t, 200, resp.StatusCode)
	end := rec.once(t, 1)
	require.Equal(t, middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled, Status: 200}, end.Outcome)
	require.ErrorIs(t, end.Err, context.Canceled)
}

func TestAPanicInOneOfSeveralAttemptsSettlesAll(t *testing.T) {
	var rec recorder
	tries := 0
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if tries++; tries == 2 {
			panic("oops")
		}
		return answer(503, text("busy")).RoundTrip(req)
	})
	rt := middleware.Chain(base, watching(&rec, 1, 0), repeating(2), numbering(&rec))
	require.PanicsWithValue(t, "oops", func() { _, _ = rt.RoundTrip(request(t.Context(), t)) })
	require.Equal(t, []uint64{100, 200, 1}, rec.tokens())
	require.Equal(t, middleware.ReasonPanic, rec.once(t, 200).Outcome.Reason)
	require.Equal(t, middleware.ReasonPanic, rec.once(t, 1).Outcome.Reason)
}

func TestANestedChainSettlesItsOwnCalls(t *testing.T) {
	var rec recorder
	var inner *middleware.Exchange
	nested := middleware.Chain(answer(200, func(req *http.Request) io.ReadCloser {
		inner = middleware.FromContext(req.Context())
		return text("ok")(req)
	}), watching(&rec, 2, 0))
	var outer *middleware.Exchange
	twice := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			outer = middleware.FromContext(req.Context())
			resp, err := next.RoundTrip(req)
			require.NoError(t, err)
			require.Same(t, req, resp.Request, "the inner chain gives back what it was given")
			require.NoError(t, resp.Body.Close())
			require.Equal(t, []uint64{2}, rec.tokens())
			require.NotSame(t, outer, inner)
			return next.RoundTrip(req)
		})
	}
	req := request(t.Context(), t)
	resp, err := middleware.Chain(nested, watching(&rec, 1, 0), twice).RoundTrip(req)
	require.NoError(t, err)
	require.Same(t, req, resp.Request)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 2, 1}, rec.tokens())
}

func TestARequestWithTheContextOfAnEndedExchangeIsANewCall(t *testing.T) {
	var rec recorder
	var first *http.Request
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if first == nil {
			first = req
		}
		return answer(200, text("ok")).RoundTrip(req)
	})
	stage := watching(&rec, 1, 0)(base)
	resp, err := stage.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	old := rec.once(t, 1).Exchange

	again := first.WithContext(context.WithoutCancel(first.Context()))
	resp, err = stage.RoundTrip(again)
	require.NoError(t, err)
	require.Same(t, again, resp.Request)
	require.Len(t, rec.tokens(), 1)
	require.NoError(t, resp.Body.Close())
	require.Len(t, rec.ends, 2)
	require.NotSame(t, old, rec.ends[1].end.Exchange)
	require.Equal(t, middleware.Success, rec.ends[1].end.Outcome.Verdict)
}

func TestWaitsAndNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, req := middleware.Join(request(t.Context(), t))
		require.Zero(t, ex.Attempt())
		time.Sleep(time.Second)
		ex.AddWait(time.Second)
		ex.AddWait(2 * time.Second)
		require.Equal(t, 3*time.Second, ex.Waited())
		child, _ := ex.Child(req)
		require.Equal(t, 1, child.Attempt())
		child, _ = ex.Child(req)
		require.Equal(t, 2, child.Attempt())
		require.Zero(t, child.Waited())
		grandchild, _ := child.Child(req)
		require.Equal(t, 1, grandchild.Attempt())
		require.Equal(t, 2, child.Attempt())
		require.Zero(t, ex.Attempt(), "it stays the call")
	})
}
