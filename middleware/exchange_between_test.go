package middleware_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// deriving passes requests on with a context that derive makes of theirs.
func deriving(derive func(context.Context) (context.Context, context.CancelFunc)) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			ctx, cancel := derive(req.Context())
			defer cancel()
			return next.RoundTrip(req.WithContext(ctx))
		})
	}
}

// single sends one attempt, whose end it has settled.
func single(seen *middleware.End) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, req := middleware.Join(req)
			child, inner := ex.Child(req)
			defer child.Leave(req, &resp, &err)
			child.OnEnd(noting{seen}, 0)
			return next.RoundTrip(inner)
		})
	}
}

type noting struct{ end *middleware.End }

func (n noting) Settle(_ uint64, end middleware.End) { *n.end = end }

// An attempt obeys the context that a stage further out has derived.
func TestAttemptEndsWithAContextDerivedInBetween(t *testing.T) {
	hang := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		<-req.Context().Done()
		return nil, req.Context().Err()
	})
	for name, c := range map[string]struct {
		derive  func(context.Context) (context.Context, context.CancelFunc)
		err     error
		verdict middleware.Verdict
	}{
		"a deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded, middleware.Failure},
		"a cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, context.Canceled, middleware.Neutral},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var end middleware.End
				start := time.Now()
				_, err := middleware.Chain(hang, deriving(c.derive), single(&end)).RoundTrip(request(t.Context(), t))
				require.ErrorIs(t, err, c.err)
				require.Equal(t, time.Second, time.Since(start))
				require.Equal(t, c.verdict, end.Outcome.Verdict)
			})
		})
	}
}

func TestAttemptKnowsWhatIsDerivedInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		in := time.Now().Add(time.Minute)
		base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			require.Equal(t, "value", req.Context().Value(key{}))
			at, ok := req.Context().Deadline()
			require.True(t, ok)
			require.Equal(t, in, at)
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		var end middleware.End
		rt := middleware.Chain(base, deriving(func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithDeadline(context.WithValue(ctx, key{}, "value"), in)
		}), single(&end))
		_, err := rt.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.Equal(t, middleware.Success, end.Outcome.Verdict)
	})
}

// A value alone costs no watch: the context package would start a goroutine for it.
func TestValueInBetweenStartsNoGoroutine(t *testing.T) {
	type key struct{}
	before := runtime.NumGoroutine()
	base := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
		require.Equal(t, before, runtime.NumGoroutine())
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	var end middleware.End
	rt := middleware.Chain(base, deriving(func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithValue(ctx, key{}, 1), func() {}
	}), single(&end))
	_, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
}
