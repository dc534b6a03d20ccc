package middleware_test

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

	"github.com/headgate-go/headgate/middleware"
)

// shapes are the chains in which every end is looked at; each puts what it is given outermost.
var shapes = []struct {
	name     string
	attempts bool
	build    func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper
}{
	{"a stage alone", false, func(base http.RoundTripper, outer, _ middleware.Middleware) http.RoundTripper {
		return outer(base)
	}},
	{"in a chain", false, func(base http.RoundTripper, outer, _ middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, outer)
	}},
	{"above an attempt", true, func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, outer, oneAttempt, inner)
	}},
	{"above an attempt within an attempt", true, func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, outer, oneAttempt, oneAttempt, inner)
	}},
	{"above an attempt whose body is wrapped", true, func(base http.RoundTripper, outer, inner middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, outer, wrappingBody, oneAttempt, inner)
	}},
}

func TestAnExchangeSettlesOnceHoweverItEnds(t *testing.T) {
	const callerGivesUp = 3 * time.Second
	read := func(t *testing.T, resp *http.Response) error {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	for _, tt := range []struct {
		name     string
		base     http.RoundTripper
		limit    time.Duration // of the outer stage
		deadline time.Duration // of the caller
		cancel   bool          // the caller cancels after callerGivesUp
		use      func(t *testing.T, resp *http.Response)
		after    time.Duration // when it ends
		want     middleware.Outcome
		wantErr  error
	}{
		{
			name: "the body is read to its end",
			base: answer(200, text("whole")),
			use:  func(t *testing.T, resp *http.Response) { require.NoError(t, read(t, resp)) },
			want: middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed, Status: 200},
		},
		{
			name: "the body is read to its end and closed",
			base: answer(200, text("whole")),
			use: func(t *testing.T, resp *http.Response) {
				require.NoError(t, read(t, resp))
				require.NoError(t, resp.Body.Close())
			},
			want: middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed, Status: 200},
		},
		{
			name: "the caller closes early, which stays a success",
			base: answer(200, text("whole")),
			use:  func(t *testing.T, resp *http.Response) { require.NoError(t, resp.Body.Close()) },
			want: middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed, Status: 200},
		},
		{
			name: "the caller closes twice",
			base: answer(404, text("nothing")),
			use: func(t *testing.T, resp *http.Response) {
				require.NoError(t, resp.Body.Close())
				require.NoError(t, resp.Body.Close())
			},
			want: middleware.Outcome{Verdict: middleware.Invalid, Processing: middleware.Processed, Status: 404},
		},
		{
			name: "the body fails midway, which is a failure though the status was a success",
			base: answer(200, func(*http.Request) io.ReadCloser {
				return io.NopCloser(io.MultiReader(strings.NewReader("half"), failing{errBroken}))
			}),
			use: func(t *testing.T, resp *http.Response) {
				require.ErrorIs(t, read(t, resp), errBroken)
				require.NoError(t, resp.Body.Close())
			},
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonBody, Status: 200},
			wantErr: errBroken,
		},
		{
			name:    "there is no answer",
			base:    middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, errBroken }),
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection},
			wantErr: errBroken,
		},
		{
			name: "a base breaks the contract with both an answer and an error",
			base: middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Body: hanging(req)}, errBroken
			}),
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonConnection},
			wantErr: errBroken,
		},
		{
			name: "the answer has http.NoBody",
			base: answer(204, func(*http.Request) io.ReadCloser { return http.NoBody }),
			want: middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed, Status: 204},
		},
		{
			name: "the answer has a nil body",
			base: answer(200, func(*http.Request) io.ReadCloser { return nil }),
			want: middleware.Outcome{Verdict: middleware.Success, Processing: middleware.Processed, Status: 200},
		},
		{
			name:   "the caller cancels and abandons the body",
			base:   answer(200, hanging),
			cancel: true, after: callerGivesUp,
			want:    middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled, Status: 200},
			wantErr: context.Canceled,
		},
		{
			name:   "the caller cancels in the middle of a Read",
			base:   answer(200, hanging),
			cancel: true, after: callerGivesUp,
			use:     func(t *testing.T, resp *http.Response) { require.ErrorIs(t, read(t, resp), context.Canceled) },
			want:    middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled, Status: 200},
			wantErr: context.Canceled,
		},
		{
			name:     "the caller's deadline passes over an abandoned body",
			base:     answer(200, hanging),
			deadline: 2 * time.Second, after: 2 * time.Second,
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDeadline, Status: 200},
			wantErr: context.DeadlineExceeded,
		},
		{
			name:     "the caller's deadline passes in the middle of a Read",
			base:     answer(200, hanging),
			deadline: 2 * time.Second, after: 2 * time.Second,
			use:     func(t *testing.T, resp *http.Response) { require.ErrorIs(t, read(t, resp), context.DeadlineExceeded) },
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDeadline, Status: 200},
			wantErr: context.DeadlineExceeded,
		},
		{
			name:  "a limit is reached over an abandoned body",
			base:  answer(200, hanging),
			limit: time.Second, after: time.Second,
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Status: 200},
			wantErr: errLimit,
		},
		{
			name:  "a limit is reached in the middle of a Read, which fails with the cause",
			base:  answer(200, hanging),
			limit: time.Second, after: time.Second,
			use: func(t *testing.T, resp *http.Response) {
				require.ErrorIs(t, read(t, resp), errLimit)
				_, err := resp.Body.Read(make([]byte, 1))
				require.ErrorIs(t, err, errLimit, "and every Read after it")
			},
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Status: 200},
			wantErr: errLimit,
		},
		{
			name:  "a limit is reached over a body that knows no context",
			base:  answer(200, deaf),
			limit: time.Second, after: time.Second,
			use: func(t *testing.T, resp *http.Response) {
				_, err := resp.Body.Read(make([]byte, 1))
				require.NoError(t, err)
				time.Sleep(2 * time.Second)
				_, err = resp.Body.Read(make([]byte, 1))
				require.ErrorIs(t, err, errLimit)
			},
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Status: 200},
			wantErr: errLimit,
		},
		{
			name:   "the caller cancels before the headers",
			base:   middleware.RoundTripperFunc(hangs),
			cancel: true, after: callerGivesUp,
			want:    middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled},
			wantErr: context.Canceled,
		},
		{
			name:     "the caller's deadline passes before the headers",
			base:     middleware.RoundTripperFunc(hangs),
			deadline: 2 * time.Second, after: 2 * time.Second,
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonDeadline},
			wantErr: context.DeadlineExceeded,
		},
		{
			name:  "a limit is reached before the headers",
			base:  middleware.RoundTripperFunc(hangs),
			limit: time.Second, after: time.Second,
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout},
			wantErr: context.DeadlineExceeded,
		},
		{
			name: "a limit is reached before the headers of a base that only asks for Err",
			base: middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				time.Sleep(5 * time.Second)
				return nil, req.Context().Err()
			}),
			limit: time.Second, after: 5 * time.Second,
			want:    middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout},
			wantErr: context.DeadlineExceeded,
		},
	} {
		for _, shape := range shapes {
			t.Run(tt.name+"/"+shape.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					if tt.deadline > 0 {
						ctx, cancel = context.WithTimeout(t.Context(), tt.deadline)
					}
					defer cancel()
					if tt.cancel {
						time.AfterFunc(callerGivesUp, cancel)
					}
					var rec timedRecorder
					start := time.Now()
					rt := shape.build(tt.base, watching(&rec, 1, tt.limit), watching(&rec, 2, 0))
					resp, err := rt.RoundTrip(request(ctx, t))
					if resp != nil && err == nil && tt.use != nil {
						tt.use(t, resp)
					}
					time.Sleep(time.Minute)

					tokens := []uint64{1}
					if shape.attempts {
						tokens = []uint64{2, 1}
					}
					require.Equal(t, tokens, rec.tokens(), "each once, the innermost first")
					for _, token := range tokens {
						end := rec.once(t, token)
						require.Equal(t, tt.want, end.Outcome)
						require.ErrorIs(t, end.Err, tt.wantErr)
						require.Error(t, end.Exchange.Err(), "the context is over")
						require.Nil(t, middleware.FromContext(end.Exchange))
					}
					for _, at := range rec.times {
						require.Equal(t, tt.after, at.Sub(start))
					}
				})
			})
		}
	}
}

func hangs(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

type timedRecorder struct {
	recorder
	times []time.Time
}

func (r *timedRecorder) Settle(token uint64, end middleware.End) {
	r.recorder.Settle(token, end)
	r.mu.Lock()
	r.times = append(r.times, time.Now())
	r.mu.Unlock()
}

func TestAPanicSettlesAndGoesOnUp(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			var rec recorder
			value := &struct{ what string }{"oops"}
			base := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { panic(value) })
			rt := shape.build(base, watching(&rec, 1, 0), watching(&rec, 2, 0))
			func() {
				defer func() { require.Same(t, value, recover()) }()
				_, _ = rt.RoundTrip(request(t.Context(), t))
			}()
			want := middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonPanic}
			require.Equal(t, want, rec.once(t, 1).Outcome)
			if shape.attempts {
				require.Equal(t, want, rec.once(t, 2).Outcome)
			}
		})
	}
}

func TestSettlersRunInnermostFirst(t *testing.T) {
	var rec recorder
	var stages []middleware.Middleware
	for token := range uint64(7) { // more than an exchange has room for without growing
		stages = append(stages, watching(&rec, token, 0))
	}
	resp, err := middleware.Chain(answer(200, text("ok")), stages...).RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.Empty(t, rec.tokens(), "not before the body's end")
	require.NoError(t, resp.Body.Close())
	require.Equal(t, []uint64{6, 5, 4, 3, 2, 1, 0}, rec.tokens())
}

func TestClosingClosesTheBodyBelow(t *testing.T) {
	body := &countingBody{Reader: strings.NewReader("ok")}
	var rec recorder
	rt := middleware.Chain(answer(200, func(*http.Request) io.ReadCloser { return body }), watching(&rec, 1, 0), oneAttempt)
	resp, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.EqualValues(t, 1, body.closed.Load())
}

func TestTheErrorOfCloseReachesTheCaller(t *testing.T) {
	var rec recorder
	rt := middleware.Chain(answer(200, func(*http.Request) io.ReadCloser { return closeFails{strings.NewReader("ok")} }), watching(&rec, 1, 0))
	resp, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.ErrorIs(t, resp.Body.Close(), errBroken)
	require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict)
}

type closeFails struct{ io.Reader }

func (closeFails) Close() error { return errBroken }

// A response that a stage above has put in place of the upstream's.
func TestAReplacedResponse(t *testing.T) {
	var rec recorder
	replacing := func(close bool) middleware.Middleware {
		return func(next http.RoundTripper) http.RoundTripper {
			return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
				ex, inner := middleware.Join(req)
				resp, err := next.RoundTrip(inner)
				if err != nil {
					return nil, err
				}
				if got := ex.Outcome(resp, err).Verdict; got != middleware.Busy {
					return nil, errors.New("the stage sees " + got.String())
				}
				if close {
					_ = resp.Body.Close()
				}
				return &http.Response{StatusCode: 200, Body: text("instead")(req)}, nil
			})
		}
	}
	for _, closes := range []bool{true, false} {
		rec = recorder{}
		rt := middleware.Chain(answer(503, hanging), watching(&rec, 1, 0), replacing(closes), oneAttempt, watching(&rec, 2, 0))
		req := request(t.Context(), t)
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		require.Same(t, req, resp.Request)
		content, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, "instead", string(content))
		require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict, "of the response that the caller got")
		attempt := rec.once(t, 2).Outcome
		require.Equal(t, 503, attempt.Status)
		if closes {
			require.Equal(t, []uint64{2, 1}, rec.tokens())
			require.Equal(t, middleware.Busy, attempt.Verdict)
		} else {
			require.Equal(t, middleware.Neutral, attempt.Verdict, "was given up with the call")
		}
	}
}

// What a stage above an attempt has decided is what the settlers above it are told.
func TestACallSettlesWithItsOwnOutcome(t *testing.T) {
	decided := middleware.Outcome{Verdict: middleware.Exhausted, Reason: "quota", Status: 429}
	deciding := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, inner := middleware.Join(req)
			resp, err := next.RoundTrip(inner)
			ex.Decide(decided)
			return resp, err
		})
	}
	t.Run("when the body is closed", func(t *testing.T) {
		var rec recorder
		rt := middleware.Chain(answer(429, text("no")), watching(&rec, 1, 0), deciding, oneAttempt, watching(&rec, 2, 0))
		resp, err := rt.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, decided, rec.once(t, 1).Outcome)
		require.Equal(t, middleware.Pushback, rec.once(t, 2).Outcome.Verdict)
	})
	t.Run("when the body fails", func(t *testing.T) {
		var rec recorder
		broken := func(*http.Request) io.ReadCloser { return io.NopCloser(failing{errBroken}) }
		rt := middleware.Chain(answer(200, broken), watching(&rec, 1, 0), deciding, oneAttempt, watching(&rec, 2, 0))
		resp, err := rt.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, errBroken)
		end := rec.once(t, 1)
		require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonBody, Status: 429}, end.Outcome)
		require.ErrorIs(t, end.Err, errBroken)
	})
}

func TestAProviderDecides(t *testing.T) {
	decided := middleware.Outcome{Verdict: middleware.Failure, Reason: "truncated", Status: 200}
	var rec recorder
	provider := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, inner := middleware.Join(req)
			resp, err := next.RoundTrip(inner)
			ex.Decide(decided)
			return resp, err
		})
	}
	var seen middleware.Outcome
	reading := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ex, inner := middleware.Join(req)
			resp, err := next.RoundTrip(inner)
			seen = ex.Outcome(resp, err)
			require.Equal(t, middleware.Success, ex.Outcome(&http.Response{StatusCode: 200}, nil).Verdict, "another response is looked at anew")
			return resp, err
		})
	}
	_, err := middleware.Chain(answer(200, func(*http.Request) io.ReadCloser { return http.NoBody }), watching(&rec, 1, 0), reading, provider).
		RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	require.Equal(t, decided, seen)
	rec.once(t, 1)
}

// A dial that a limit cuts short has still sent nothing.
func TestALimitKeepsWhatIsKnownOfTheProcessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rec recorder
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, dialError(req.Context().Err())
		})
		_, err := middleware.Chain(base, watching(&rec, 1, time.Second)).RoundTrip(request(t.Context(), t))
		require.Error(t, err)
		require.Equal(t, middleware.Outcome{
			Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.NeverSent,
		}, rec.once(t, 1).Outcome)
	})
}

func TestARefusalIsNeutralThoughTheCallerHasGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var rec recorder
	refusal := &middleware.RejectedError{Stage: "gate", Cause: context.Canceled}
	base := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) { return nil, refusal })
	_, err := middleware.Chain(base, watching(&rec, 1, 0)).RoundTrip(request(ctx, t))
	require.ErrorIs(t, err, middleware.ErrRejected)
	require.Equal(t, middleware.Outcome{
		Verdict: middleware.Neutral, Reason: middleware.ReasonRejected, Processing: middleware.NeverSent,
	}, rec.once(t, 1).Outcome)
}
