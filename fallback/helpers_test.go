package fallback_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("the upstream is down")

// body is a response's body that counts its closes.
type body struct {
	io.Reader
	closed atomic.Int64
}

func (b *body) Close() error {
	b.closed.Add(1)
	return nil
}

func newBody(text string) *body { return &body{Reader: strings.NewReader(text)} }

// respond is an upstream that always gives this status, with a body and a header.
func respond(status int, text string) middleware.RoundTripperFunc {
	return func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		return &http.Response{
			StatusCode: status, Header: http.Header{"X-From": {"upstream"}}, Body: newBody(text), Request: req,
		}, nil
	}
}

// fail is an upstream that always gives this error.
func fail(err error) middleware.RoundTripperFunc {
	return func(req *http.Request) (*http.Response, error) {
		middleware.CloseBody(req)
		return nil, err
	}
}

var sorry = fallback.AnswerConfig{Static: &fallback.Static{
	Status: 200, Headers: map[string]string{"Content-Type": "application/json"}, Body: `{"text":"sorry"}`,
}}

func with(answers ...fallback.AnswerConfig) fallback.Config {
	cfg := fallback.DefaultConfig()
	cfg.Answers = answers
	return cfg
}

func named(name string) fallback.AnswerConfig { return fallback.AnswerConfig{Func: name} }

// events collects what a stage reports.
type events struct {
	mu  sync.Mutex
	all []middleware.Event
}

func (e *events) Observe(_ context.Context, event middleware.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) only(t *testing.T) middleware.Event {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Len(t, e.all, 1)
	return e.all[0]
}

func attr(e middleware.Event, key string) string {
	for _, a := range e.Attrs {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

func newStage(t testing.TB, cfg fallback.Config, opts ...fallback.Option) (*fallback.Fallback, *events) {
	t.Helper()
	var seen events
	opts = append(opts, fallback.WithReporter(middleware.Reporter{Observer: &seen}))
	f, err := fallback.New(cfg, opts...)
	require.NoError(t, err)
	return f, &seen
}

func get(t testing.TB) *http.Request {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/v1?key=s3cr3t", nil)
	require.NoError(t, err)
	return req
}

func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}
