package hedge_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
)

const key = "upstream.test"

// config is a fixed delay of a second and a budget for everybody, changed.
func config(change func(*hedge.Config)) hedge.Config {
	cfg := hedge.DefaultConfig()
	cfg.Percentile, cfg.Budget, cfg.BudgetFloor = 0, 1, 1000
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func newStage(t testing.TB, cfg hedge.Config, opts ...hedge.Option) *hedge.Hedge {
	t.Helper()
	s, err := hedge.New(cfg, opts...)
	require.NoError(t, err)
	return s
}

func request(ctx context.Context, t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+key+"/v1", nil)
	require.NoError(t, err)
	return req
}

// attemptOf is 1 for the first attempt, more for a copy, 0 for a call that is not hedged.
func attemptOf(req *http.Request) int {
	return middleware.FromContext(req.Context()).Attempt()
}

func hangs(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// step is what the base does with an attempt: after a time it answers with a
// status, or fails with err.
type step struct {
	after  time.Duration
	status int
	err    error
	deaf   bool // pays no attention to its context
	body   string
	header http.Header
	panics any
}

// script is a base that does the n-th step with the n-th attempt; without one
// it hangs. It counts what it opens and closes.
type script struct {
	steps  []step
	mu     sync.Mutex
	sent   []string // the requests' bodies
	at     []time.Time
	opened atomic.Int64
	closed atomic.Int64
}

func does(steps ...step) *script { return &script{steps: steps} }

func (s *script) attempts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	s.mu.Lock()
	n := len(s.at)
	s.at = append(s.at, time.Now())
	s.sent = append(s.sent, string(sent))
	s.mu.Unlock()
	if n >= len(s.steps) {
		return hangs(req)
	}
	do := s.steps[n]
	done := req.Context().Done()
	if do.deaf {
		done = nil
	}
	select {
	case <-time.After(do.after):
	case <-done:
		return nil, req.Context().Err()
	}
	switch {
	case do.panics != nil:
		panic(do.panics)
	case do.err != nil:
		return nil, do.err
	}
	s.opened.Add(1)
	h := do.header
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{
		StatusCode: do.status, Header: h, Request: req,
		Body: &body{Reader: strings.NewReader(do.body), req: req, closed: &s.closed},
	}, nil
}

// body is readable as long as its request's context lives, as one of net/http is.
type body struct {
	io.Reader
	req    *http.Request
	closed *atomic.Int64
	once   sync.Once
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.req.Context().Err(); err != nil {
		return 0, err
	}
	return b.Reader.Read(p)
}

func (b *body) Close() error {
	b.once.Do(func() { b.closed.Add(1) })
	return nil
}

// text reads and closes a response's body.
func text(t testing.TB, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

// events notes the kinds of the events.
type events struct {
	mu  sync.Mutex
	all []middleware.Event
}

func (e *events) Observe(_ context.Context, event middleware.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) kinds() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	kinds := []string{}
	for _, x := range e.all {
		kinds = append(kinds, x.Kind)
	}
	return kinds
}

func (e *events) option() hedge.Option {
	return hedge.WithReporter(middleware.Reporter{Observer: e})
}

// verdicts notes how the attempts were settled, as a breaker inside would see it.
type verdicts struct {
	mu   sync.Mutex
	ends map[uint64][]middleware.Verdict // by the attempt's number
}

func (v *verdicts) Settle(token uint64, end middleware.End) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ends == nil {
		v.ends = make(map[uint64][]middleware.Verdict)
	}
	v.ends[token] = append(v.ends[token], end.Outcome.Verdict)
}

func (v *verdicts) seen() map[uint64][]middleware.Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.ends
}

func (v *verdicts) watch(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(v, uint64(ex.Attempt()))
		return next.RoundTrip(inner)
	})
}

func stats(s *hedge.Hedge) hedge.KeyStats {
	for _, k := range s.Stats().Keys {
		if k.Key == key {
			return k
		}
	}
	return hedge.KeyStats{}
}
