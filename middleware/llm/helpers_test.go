package llm

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

// upstream is a base that answers each request with the same response.
type upstream struct {
	status int
	header string // lines
	body   string
	length bool // the length is told
	broken error
}

func (u upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: u.status, Header: header(u.header), Request: req, ContentLength: -1, ProtoMajor: 1, ProtoMinor: 1}
	if resp.StatusCode == 0 {
		resp.StatusCode = http.StatusOK
	}
	end := io.EOF
	if u.broken != nil {
		end = u.broken
	}
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(u.body), failing{end}))
	if u.length {
		resp.ContentLength = int64(len(u.body))
	}
	return resp, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func header(lines string) http.Header {
	h := http.Header{}
	for line := range strings.Lines(lines) {
		name, value, _ := strings.Cut(line, ":")
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h
}

const (
	asEvents = "Content-Type: text/event-stream"
	asJSON   = "Content-Type: application/json"
	prompt   = `{"model":"deepseek-chat","messages":[{"role":"user","content":"SECRET PROMPT"}],"stream":true}`
)

// seen is what a stage above the provider stage learns.
type seen struct {
	outcome  middleware.Outcome
	end      middleware.End
	usage    []middleware.Usage
	mu       sync.Mutex
	progress []time.Time
}

func (s *seen) Settle(_ uint64, end middleware.End) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = end
}

func (s *seen) Used(u middleware.Usage) { s.usage = append(s.usage, u) }
func (s *seen) ReadBegins()             {}
func (s *seen) ReadEnds(progress bool) {
	if progress {
		s.Progress()
	}
}

func (s *seen) Progress() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = append(s.progress, time.Now())
}

func (s *seen) wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(s, 0)
		ex.OnProgress(s)
		ex.OnUsage(s)
		resp, err = next.RoundTrip(inner)
		s.outcome = ex.Outcome(resp, err)
		return resp, err
	})
}

// stage makes a stage that tells events to o.
func stage(t testing.TB, change func(*Config), o middleware.Observer) *LLM {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	l, err := New(cfg, WithReporter(middleware.Reporter{Observer: o}))
	require.NoError(t, err)
	return l
}

// post sends a request through the stage and s above it.
func post(t testing.TB, l *LLM, s *seen, base http.RoundTripper) (*http.Response, error) {
	t.Helper()
	return middleware.Chain(base, s.wrap, l.Wrap).RoundTrip(newPost(t.Context(), t, "https://api.deepseek.com/v1/chat/completions"))
}

func newPost(ctx context.Context, t testing.TB, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(prompt))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer SECRET KEY")
	return req
}

// events collects what is told.
type told struct {
	mu     sync.Mutex
	events []middleware.Event
}

func (e *told) Observe(_ context.Context, event middleware.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, event)
}

func (e *told) kinds() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var kinds []string
	for _, x := range e.events {
		kinds = append(kinds, x.Kind)
	}
	return kinds
}
