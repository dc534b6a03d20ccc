package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestLimit(t *testing.T) {
	other := errors.New("another limit")
	for _, tt := range []struct {
		name string
		set  func(ex *middleware.Exchange, in func(time.Duration) time.Time)
		want time.Duration // 0: it is never reached
		by   error
	}{
		{"set", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
		}, 5 * time.Second, errLimit},
		{"moved later", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
			time.Sleep(4 * time.Second)
			ex.Limit(in(5*time.Second), errLimit)
		}, 9 * time.Second, errLimit},
		{"moved later again and again, as an idle timeout does", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			for range 10 {
				ex.Limit(in(5*time.Second), errLimit)
				time.Sleep(4 * time.Second)
			}
		}, 41 * time.Second, errLimit},
		{"moved earlier", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
			ex.Limit(in(2*time.Second), errLimit)
		}, 2 * time.Second, errLimit},
		{"lifted", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
			ex.Limit(time.Time{}, errLimit)
		}, 0, nil},
		{"lifted without having been set", func(ex *middleware.Exchange, _ func(time.Duration) time.Time) {
			ex.Limit(time.Time{}, errLimit)
		}, 0, nil},
		{"lifted and set again", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
			ex.Limit(time.Time{}, errLimit)
			ex.Limit(in(7*time.Second), errLimit)
		}, 7 * time.Second, errLimit},
		{"two causes: the earlier ends it", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(5*time.Second), errLimit)
			ex.Limit(in(3*time.Second), other)
		}, 3 * time.Second, other},
		{"two causes: lifting one keeps the other", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(3*time.Second), errLimit)
			ex.Limit(in(5*time.Second), other)
			ex.Limit(time.Time{}, errLimit)
		}, 5 * time.Second, other},
		{"in the past", func(ex *middleware.Exchange, in func(time.Duration) time.Time) {
			ex.Limit(in(-time.Second), errLimit)
		}, time.Nanosecond, errLimit},
	} {
		for _, listens := range []string{"before", "after"} {
			t.Run(tt.name+"/somebody listens "+listens, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ex, _, end := joined(t.Context(), t)
					defer end()
					start := time.Now()
					var done <-chan struct{}
					if listens == "before" {
						done = ex.Done()
					}
					tt.set(ex, func(d time.Duration) time.Time { return time.Now().Add(d) })
					if listens == "after" {
						done = ex.Done()
					}
					select {
					case <-done:
						require.Equal(t, tt.want.Truncate(time.Millisecond), time.Since(start))
						require.Equal(t, context.DeadlineExceeded, ex.Err())
						require.Equal(t, tt.by, ex.Cause())
					case <-time.After(time.Hour):
						require.Zero(t, tt.want, "was never reached")
						require.NoError(t, ex.Err())
						require.NoError(t, ex.Cause())
					}
				})
			})
		}
	}
}

func TestALimitBehindTheCallersDeadlineIsTheCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []time.Duration{time.Second, 2 * time.Second} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			ex, _, end := joined(ctx, t)
			ex.Limit(time.Now().Add(limit), errLimit)
			<-ex.Done()
			require.Equal(t, context.DeadlineExceeded, ex.Err())
			require.NoError(t, ex.Cause(), "nobody's limit was reached")
			end()
			cancel()
		}
	})
}

// The deadline of an exchange around this one may move, so a limit behind it still counts.
func TestALimitBehindAnotherExchangesLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var outer, inner recorder
		headers := errors.New("until the headers")
		nested := middleware.Chain(answer(200, hanging), watching(&inner, 1, 2*time.Second))
		untilHeaders := func(next http.RoundTripper) http.RoundTripper {
			return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
				ex, req := middleware.Join(req)
				ex.Limit(time.Now().Add(time.Second), headers)
				defer ex.Limit(time.Time{}, headers)
				return next.RoundTrip(req)
			})
		}
		resp, err := middleware.Chain(nested, watching(&outer, 1, 0), untilHeaders).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		time.AfterFunc(time.Minute, func() { _ = resp.Body.Close() })
		_, err = io.ReadAll(resp.Body)
		require.ErrorIs(t, err, errLimit)
		require.Equal(t, 2*time.Second, time.Since(start))
		require.Equal(t, middleware.ReasonTimeout, inner.once(t, 1).Outcome.Reason)
		require.Equal(t, middleware.ReasonBody, outer.once(t, 1).Outcome.Reason)
	})
}

func TestALimitOfTheOuterCallEndsTheNestedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outer, inner recorder
		nested := middleware.Chain(answer(200, hanging), watching(&inner, 1, 0))
		_, err := middleware.Chain(nested, watching(&outer, 1, time.Second)).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.Equal(t, middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Status: 200}, outer.once(t, 1).Outcome)
		require.Equal(t, middleware.Failure, inner.once(t, 1).Outcome.Verdict)
	})
}

func TestALimitOnAnExchangeThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex, _, end := joined(t.Context(), t)
		done := ex.Done()
		end()
		ex.Limit(time.Now().Add(time.Second), errLimit)
		<-done
		time.Sleep(2 * time.Second)
		require.Equal(t, context.Canceled, ex.Err())
		require.NoError(t, ex.Cause())
	})
}

// A timer that ends the call after it has ended would keep a bubble from ending too.
func TestATimerStopsWithTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var rec recorder
		resp, err := middleware.Chain(answer(200, text("ok")), watching(&rec, 1, time.Hour)).RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		synctest.Wait()
		time.Sleep(2 * time.Hour)
		require.Equal(t, 2*time.Hour, time.Since(start))
		end := rec.once(t, 1)
		require.Equal(t, context.Canceled, end.Exchange.Err())
		require.NoError(t, end.Exchange.Cause())
	})
}

func TestALimitThatIsMovedWhileTheBodyIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var rec recorder
		rt := middleware.Chain(answer(200, deaf), watching(&rec, 1, time.Second))
		resp, err := rt.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		ex := middleware.FromContext(exchangeOf(resp))
		require.Nil(t, ex, "the caller sees its own context")
		for {
			if _, err = resp.Body.Read(make([]byte, 1)); err != nil {
				break
			}
			time.Sleep(300 * time.Millisecond)
		}
		require.ErrorIs(t, err, errLimit)
		require.Equal(t, 1200*time.Millisecond, time.Since(start), "the first Read after the limit")
	})
}

func exchangeOf(resp *http.Response) context.Context { return resp.Request.Context() }
