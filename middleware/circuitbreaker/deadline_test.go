package circuitbreaker_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// How long a caller waits says nothing about the upstream; how long a timeout
// stage allows does.
func TestCallersDeadlinesDoNotOpenTheBreakerAndTimeoutsDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.answer = func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			req, err := http.NewRequestWithContext(ctx, "GET", "http://"+host+"/", nil)
			require.NoError(t, err)
			_, err = r.rt.RoundTrip(req)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
		}
		r.state(circuitbreaker.Closed)

		limit, err := timeout.New(timeout.Config{Limit: time.Second, Until: timeout.UntilHeaders})
		require.NoError(t, err)
		rt := middleware.Chain(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) { return r.answer(req) }), r.stage.Wrap, limit.Wrap)
		for range 10 {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+host+"/", nil)
			require.NoError(t, err)
			_, err = rt.RoundTrip(req)
			require.ErrorIs(t, err, timeout.ErrTimeout)
		}
		r.state(circuitbreaker.Open)
	})
}
