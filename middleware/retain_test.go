package middleware_test

import (
	"io"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestRetain(t *testing.T) {
	for _, tt := range []struct {
		name     string
		body     io.Reader
		limit    middleware.Bytes
		complete bool
		left     string
	}{
		{"all of it", strings.NewReader("answer"), 64, true, "answer"},
		{"just all of it", strings.NewReader("answer"), 6, true, "answer"},
		{"nothing", strings.NewReader(""), 0, true, ""},
		{"one byte too many", strings.NewReader("answer"), 5, false, ""},
		{"far too many", endless{}, 1000, false, ""},
		{"a body that fails", io.MultiReader(strings.NewReader("half"), failing{errBroken}), 64, false, ""},
		{"a body that fails at the limit", io.MultiReader(strings.NewReader("half"), failing{errBroken}), 4, false, ""},
		{"without any limit", strings.NewReader("answer"), math.MaxInt64, true, "answer"},
		{"a negative limit", strings.NewReader(""), -1, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &countingBody{Reader: tt.body}
			resp := &http.Response{StatusCode: 503, Body: body}
			require.Equal(t, tt.complete, middleware.Retain(resp, tt.limit))
			require.EqualValues(t, 1, body.closed.Load())
			left, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, tt.left, string(left))
			require.NoError(t, resp.Body.Close())
		})
	}
	t.Run("nothing to read", func(t *testing.T) {
		for _, body := range []io.ReadCloser{nil, http.NoBody} {
			resp := &http.Response{Body: body}
			require.True(t, middleware.Retain(resp, 0))
			require.Equal(t, body, resp.Body)
		}
	})
}

func TestRetainingEndsTheAttempt(t *testing.T) {
	var rec recorder
	retaining := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err == nil {
				require.True(t, middleware.Retain(resp, 64))
				require.Equal(t, []uint64{2}, rec.tokens())
			}
			return resp, err
		})
	}
	rt := middleware.Chain(answer(503, text("busy")), watching(&rec, 1, 0), retaining, oneAttempt, watching(&rec, 2, 0))
	resp, err := rt.RoundTrip(request(t.Context(), t))
	require.NoError(t, err)
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "busy", string(content))
	require.Equal(t, middleware.Busy, rec.once(t, 1).Outcome.Verdict)
	require.Equal(t, []uint64{2, 1}, rec.tokens())
}
