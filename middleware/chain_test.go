package middleware_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func named(name string, calls *[]string) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			*calls = append(*calls, name)
			resp, err := next.RoundTrip(req)
			*calls = append(*calls, "/"+name)
			return resp, err
		})
	}
}

func TestChainOrder(t *testing.T) {
	var calls []string
	for _, tt := range []struct {
		name   string
		stages []middleware.Middleware
		want   []string
	}{
		{"the first stage is outermost", []middleware.Middleware{named("a", &calls), named("b", &calls), named("c", &calls)},
			[]string{"a", "b", "c", "/c", "/b", "/a"}},
		{"a nil stage is left out", []middleware.Middleware{nil, named("a", &calls), nil, named("b", &calls), nil},
			[]string{"a", "b", "/b", "/a"}},
		{"a stage may stand in a chain twice", []middleware.Middleware{named("a", &calls), named("a", &calls)},
			[]string{"a", "a", "/a", "/a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls = nil
			resp, err := middleware.Chain(answer(200, text("ok")), tt.stages...).RoundTrip(request(t.Context(), t))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, tt.want, calls)
		})
	}
}

func TestAChainWithoutStagesIsItsBase(t *testing.T) {
	base := &idling{}
	require.Same(t, base, middleware.Chain(base))
	require.Same(t, base, middleware.Chain(base, nil, nil))
	require.Same(t, http.DefaultTransport, middleware.Chain(nil))
}

func TestANilBaseIsTheDefaultTransport(t *testing.T) {
	var next http.RoundTripper
	middleware.Chain(nil, func(n http.RoundTripper) http.RoundTripper {
		next = n
		return n
	})
	require.Same(t, http.DefaultTransport, next)
}

func TestStagesArePutTogetherOnce(t *testing.T) {
	built := 0
	rt := middleware.Chain(answer(200, text("ok")), func(next http.RoundTripper) http.RoundTripper {
		built++
		return next
	})
	for range 3 {
		resp, err := rt.RoundTrip(request(t.Context(), t))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, 1, built)
}

// idling is a base that counts CloseIdleConnections.
type idling struct{ closed atomic.Int32 }

func (*idling) RoundTrip(*http.Request) (*http.Response, error) { return nil, errBroken }
func (i *idling) CloseIdleConnections()                         { i.closed.Add(1) }

func TestCloseIdleConnectionsReachesTheBase(t *testing.T) {
	forwarding := func(next http.RoundTripper) http.RoundTripper { return middleware.Forward(next, next.RoundTrip) }
	plain := func(next http.RoundTripper) http.RoundTripper { return middleware.RoundTripperFunc(next.RoundTrip) }
	for _, tt := range []struct {
		name  string
		build func(base http.RoundTripper) http.RoundTripper
		want  int32
	}{
		{"past stages that forward it", func(base http.RoundTripper) http.RoundTripper { return forwarding(forwarding(base)) }, 1},
		{"past a plain RoundTripperFunc in a chain", func(base http.RoundTripper) http.RoundTripper {
			return middleware.Chain(base, forwarding, plain)
		}, 1},
		{"past a chain within a chain", func(base http.RoundTripper) http.RoundTripper {
			return middleware.Chain(middleware.Chain(base, plain), plain)
		}, 1},
		{"not past a plain RoundTripperFunc outside a chain", plain, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := &idling{}
			client := http.Client{Transport: tt.build(base)}
			client.CloseIdleConnections()
			require.Equal(t, tt.want, base.closed.Load())
		})
	}
	t.Run("is no matter for a base without it", func(t *testing.T) {
		middleware.CloseIdleConnections(middleware.Chain(stub, forwarding))
		middleware.CloseIdleConnections(nil)
	})
}

func TestCloseBody(t *testing.T) {
	body := &countingBody{}
	req := request(t.Context(), t)
	middleware.CloseBody(req) // has none
	req.Body = body
	middleware.CloseBody(req)
	require.EqualValues(t, 1, body.closed.Load())
}

func TestTheCallersRequestIsNotModified(t *testing.T) {
	var rec recorder
	req := request(t.Context(), t)
	req.Header.Set("X-Test", "1")
	before := *req.Clone(req.Context())
	ctx := req.Context()
	var inner *http.Request
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		inner = req
		return answer(200, text("ok")).RoundTrip(req)
	})
	resp, err := middleware.Chain(base, watching(&rec, 1, 0), repeating(2), watching(&rec, 2, 0)).RoundTrip(req)
	require.NoError(t, err)
	require.NotSame(t, req, inner)
	require.Same(t, req, resp.Request)
	require.Equal(t, ctx, req.Context())
	require.Equal(t, before.Header, req.Header)
	require.Equal(t, before.URL, req.URL)
	require.Equal(t, "1", inner.Header.Get("X-Test"))
	require.NoError(t, resp.Body.Close())
	require.Same(t, req, resp.Request)
}
