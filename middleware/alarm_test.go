package middleware_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// A chain keeps its alarms from call to call, but a timer belongs to the synctest
// bubble in which it was made.
func TestAChainIsUsedInsideAndOutsideOfBubbles(t *testing.T) {
	var rec recorder
	quick := middleware.Chain(stub, watching(&rec, 1, time.Hour))
	answer := func(t *testing.T) {
		resp, err := quick.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	for range 3 {
		answer(t) // leaves an alarm behind
		synctest.Test(t, func(t *testing.T) { answer(t) })
	}

	hung := middleware.Chain(middleware.RoundTripperFunc(hangs), watching(&rec, 2, time.Millisecond))
	timesOut := func(t *testing.T) {
		start := time.Now()
		_, err := hung.RoundTrip(request(t.Context(), t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.GreaterOrEqual(t, time.Since(start), time.Millisecond)
	}
	for range 3 {
		timesOut(t)
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			timesOut(t)
			require.Equal(t, time.Millisecond, time.Since(start))
		})
	}
}

// An alarm of an earlier call must not end a later one.
func TestAnAlarmServesOneCallAfterTheOther(t *testing.T) {
	var rec recorder
	limit := time.Millisecond
	rt := middleware.Chain(middleware.RoundTripperFunc(hangs), func(next http.RoundTripper) http.RoundTripper {
		return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			return watching(&rec, 1, limit)(next).RoundTrip(req)
		})
	})
	for range 20 {
		_, err := rt.RoundTrip(request(t.Context(), t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	limit = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := rt.RoundTrip(request(ctx, t))
		done <- err
	}()
	select {
	case err := <-done:
		require.NoError(t, err, "nothing ends it")
	case <-time.After(20 * time.Millisecond):
	}
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
