package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

var (
	errBroken = errors.New("the wire broke")
	errLimit  = errors.New("the stage's limit")
)

// recorder is a Settler that notes what it is told.
type recorder struct {
	mu   sync.Mutex
	ends []settled
}

type settled struct {
	token uint64
	end   middleware.End
}

func (r *recorder) Settle(token uint64, end middleware.End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = append(r.ends, settled{token, end})
}

// tokens gives the tokens in the order in which they were settled.
func (r *recorder) tokens() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	tokens := []uint64{}
	for _, s := range r.ends {
		tokens = append(tokens, s.token)
	}
	return tokens
}

// once gives the end that token was settled with; the test fails unless that happened exactly once.
func (r *recorder) once(t *testing.T, token uint64) middleware.End {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []middleware.End
	for _, s := range r.ends {
		if s.token == token {
			found = append(found, s.end)
		}
	}
	require.Len(t, found, 1, "settled exactly once")
	require.NotNil(t, found[0].Exchange)
	return found[0]
}

// watching is a stage that registers a settler, and sets a limit if there is one.
func watching(s middleware.Settler, token uint64, limit time.Duration) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			ex.OnEnd(s, token)
			if limit > 0 {
				ex.Limit(time.Now().Add(limit), errLimit)
			}
			return next.RoundTrip(inner)
		})
	}
}

// oneAttempt is a stage that gives the request a Child.
func oneAttempt(next http.RoundTripper) http.RoundTripper { return middlewaretest.Attempting(next) }

// wrappingBody is a stage that knows no exchange and puts a reader of its own around the body.
func wrappingBody(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil && resp.Body != nil && resp.Body != http.NoBody {
			resp.Body = struct{ io.ReadCloser }{resp.Body}
		}
		return resp, err
	})
}

// answer is a base that answers with what body makes for the request.
func answer(status int, body func(*http.Request) io.ReadCloser) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: body(req), Request: req}, nil
	})
}

func text(s string) func(*http.Request) io.ReadCloser {
	return func(*http.Request) io.ReadCloser { return &countingBody{Reader: strings.NewReader(s)} }
}

// countingBody counts how often it is closed.
type countingBody struct {
	io.Reader
	closed atomic.Int32
}

func (b *countingBody) Close() error {
	b.closed.Add(1)
	return nil
}

// hanging is a body that gives a first part and then, as one of net/http does, nothing until the context ends.
func hanging(req *http.Request) io.ReadCloser {
	return io.NopCloser(io.MultiReader(strings.NewReader("part"), untilDone{req.Context()}))
}

// deaf is a body that knows no context: it gives a byte for each Read, for ever.
func deaf(*http.Request) io.ReadCloser { return io.NopCloser(endless{}) }

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	p[0] = '.'
	return 1, nil
}

type untilDone struct{ ctx context.Context }

func (u untilDone) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, u.ctx.Err()
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func request(ctx context.Context, t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://upstream.test/v1", nil)
	require.NoError(t, err)
	return req
}
