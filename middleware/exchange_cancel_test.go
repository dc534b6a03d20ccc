package middleware_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

var gaveUp = middleware.Outcome{Verdict: middleware.Neutral, Reason: middleware.ReasonCanceled}

// cancelling is a stage that makes one attempt, and gives it up after a second.
func cancelling(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, req := middleware.Join(req)
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		time.AfterFunc(time.Second, child.Cancel)
		return next.RoundTrip(inner)
	})
}

func TestACancelledAttemptIsNeutral(t *testing.T) {
	t.Run("while it runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var rec recorder
			rt := middleware.Chain(middleware.RoundTripperFunc(hangs), cancelling, oneAttempt, watching(&rec, 1, time.Minute))
			_, err := rt.RoundTrip(request(t.Context(), t))
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, time.Second, time.Since(start))
			end := rec.once(t, 1)
			require.Equal(t, gaveUp, end.Outcome)
			require.NoError(t, end.Exchange.Cause(), "no limit ended it")
			require.ErrorIs(t, end.Exchange.Err(), context.Canceled)
		})
	})
	t.Run("while its body is open", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var rec recorder
			rt := middleware.Chain(answer(200, hanging), cancelling, watching(&rec, 1, time.Minute))
			resp, err := rt.RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
			want := gaveUp
			want.Status = 200
			require.Equal(t, want, rec.once(t, 1).Outcome, "settled although nobody reads")
			_, err = io.ReadAll(resp.Body)
			require.ErrorIs(t, err, context.Canceled)
			require.NoError(t, resp.Body.Close())
		})
	})
	t.Run("though the base pays no attention and answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var rec recorder
			late := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
				time.Sleep(2 * time.Second)
				return answer(200, text("late")).RoundTrip(req)
			})
			resp, err := middleware.Chain(late, cancelling, watching(&rec, 1, 0)).RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.Equal(t, middleware.Neutral, rec.once(t, 1).Outcome.Verdict)
			require.NoError(t, resp.Body.Close())
		})
	})
}

func TestCancelLeavesTheCallAndOtherAttemptsAlone(t *testing.T) {
	ex, req := middleware.Join(request(t.Context(), t))
	first, _ := ex.Child(req)
	second, _ := ex.Child(req)
	within, _ := first.Child(req)
	first.Cancel()
	require.ErrorIs(t, first.Err(), context.Canceled)
	require.ErrorIs(t, within.Err(), context.Canceled)
	require.NoError(t, second.Err())
	require.NoError(t, ex.Err())
	select {
	case <-first.Done():
	default:
		t.Fatal("Done is not closed")
	}
}

func TestCancelAfterTheEndChangesNothing(t *testing.T) {
	var rec recorder
	var child *middleware.Exchange
	one := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, req := middleware.Join(req)
			var inner *http.Request
			child, inner = ex.Child(req)
			defer child.Leave(req, &resp, &err)
			return next.RoundTrip(inner)
		})
	}
	resp, err := middleware.Chain(answer(200, text("ok")), one, watching(&rec, 1, 0)).RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	child.Cancel()
	require.Equal(t, middleware.Success, rec.once(t, 1).Outcome.Verdict)
}

func TestACancelledAttemptIsNeutralThoughTheDeadlinePassesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := request(ctx, t)
		ex, inner := middleware.Join(req)
		var rec recorder
		child, _ := ex.Child(inner)
		child.OnEnd(&rec, 1)
		child.Cancel()
		time.Sleep(2 * time.Second) // the base pays no attention
		resp, err := (*http.Response)(nil), context.Canceled
		child.Leave(inner, &resp, &err)
		require.Equal(t, middleware.Neutral, rec.once(t, 1).Outcome.Verdict)
	})
}
