package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestPeekLeavesTheResponseReadable(t *testing.T) {
	for name, c := range map[string]struct {
		limit middleware.Bytes
		head  string
	}{
		"nothing":         {0, ""},
		"a part":          {5, "hello"},
		"all":             {11, "hello world"},
		"more than there": {100, "hello world"},
	} {
		t.Run(name, func(t *testing.T) {
			body := &closeCounter{Reader: iotest.OneByteReader(strings.NewReader("hello world"))}
			resp := &http.Response{Body: body}
			require.Equal(t, c.head, string(middleware.Peek(resp, c.limit)))
			all, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "hello world", string(all))
			require.NoError(t, resp.Body.Close())
			require.Equal(t, 1, body.closed)
		})
	}
}

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error { c.closed++; return nil }

func TestPeekKeepsTheErrorOfABodyThatFails(t *testing.T) {
	broken := errors.New("broken")
	resp := &http.Response{Body: io.NopCloser(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)))}
	require.Equal(t, "half", string(middleware.Peek(resp, 100)))
	all, err := io.ReadAll(resp.Body)
	require.Equal(t, "half", string(all))
	require.ErrorIs(t, err, broken)
}

func TestPeekOfNoBody(t *testing.T) {
	require.Empty(t, middleware.Peek(&http.Response{}, 10))
	require.Empty(t, middleware.Peek(&http.Response{Body: http.NoBody}, 10))
}

func TestPriority(t *testing.T) {
	seen := -1
	rt := middleware.Chain(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		seen = middleware.FromContext(req.Context()).Priority()
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), func(next http.RoundTripper) http.RoundTripper { return middleware.Forward(next, next.RoundTrip) })
	req, _ := http.NewRequest("GET", "http://a/", nil)
	_, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.Zero(t, seen)
	_, err = rt.RoundTrip(req.WithContext(middleware.WithPriority(t.Context(), 7)))
	require.NoError(t, err)
	require.Equal(t, 7, seen)
}

func TestAdvice(t *testing.T) {
	for value, want := range map[string]middleware.Advice{
		"true": middleware.Repeat, "false": middleware.DontRepeat, " False ": middleware.DontRepeat, "maybe": middleware.NoAdvice, "": middleware.NoAdvice,
	} {
		o := middleware.Classify(&http.Response{StatusCode: 503, Header: http.Header{"X-Should-Retry": {value}}}, nil)
		require.Equal(t, want, o.Advice, value)
	}
	require.Equal(t, middleware.NoAdvice, middleware.Classify(&http.Response{StatusCode: 503}, nil).Advice)

	o := middleware.Classify(&http.Response{StatusCode: 409, Header: http.Header{"X-Should-Retry": {"true"}, "Retry-After": {"3"}}}, nil)
	require.Equal(t, middleware.Invalid, o.Verdict)
	require.Equal(t, 3*time.Second, o.RetryAfter, "who is told to come back is told when")
}
