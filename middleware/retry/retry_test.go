package retry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exact has backoffs of 1 s, 2 s, 4 s ... without jitter.
func exact(change func(*retry.Config)) retry.Config {
	cfg := retry.DefaultConfig()
	cfg.BaseDelay, cfg.MaxDelay, cfg.Jitter = time.Second, 8*time.Second, 0
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func newStage(t testing.TB, cfg retry.Config, opts ...retry.Option) *retry.Retry {
	t.Helper()
	r, err := retry.New(cfg, opts...)
	require.NoError(t, err)
	return r
}

// script answers attempt n with its nth entry, the last one again and again,
// and notes when it was asked and for what.
type script struct {
	answers []any // a status, an error, an *http.Response or a func(*http.Request) (*http.Response, error)
	times   []time.Time
	bodies  []string
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	s.times = append(s.times, time.Now())
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		s.bodies = append(s.bodies, string(b))
	}
	a := s.answers[min(len(s.times), len(s.answers))-1]
	switch a := a.(type) {
	case int:
		return answer(req, a, nil), nil
	case error:
		return nil, a
	case *http.Response:
		a.Request = req
		return a, nil
	default:
		return a.(func(*http.Request) (*http.Response, error))(req)
	}
}

func answer(req *http.Request, status int, h http.Header) *http.Response {
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(fmt.Sprint("status ", status))), Request: req}
}

func withRetryAfter(status int, v string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return answer(req, status, http.Header{"Retry-After": {v}}), nil
	}
}

// gaps are the times between attempts.
func (s *script) gaps() []time.Duration {
	var d []time.Duration
	for i := 1; i < len(s.times); i++ {
		d = append(d, s.times[i].Sub(s.times[i-1]))
	}
	return d
}

func do(ctx context.Context, rt http.RoundTripper, method string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://a/x", body)
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(req)
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(b)
}

var errReset = errors.New("connection reset by peer")

func TestBackoffDoublesUpToItsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &script{answers: []any{503}}
		rt := newStage(t, exact(func(c *retry.Config) { c.MaxAttempts = 7 })).Wrap(up)
		resp, err := do(t.Context(), rt, "GET", nil)
		require.NoError(t, err)
		require.Equal(t, "status 503", text(t, resp))
		s := time.Second
		require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 8 * s, 8 * s, 8 * s}, up.gaps())
	})
}

func TestJitterStaysWithinItsShare(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		jitter := rapid.Float64Range(0, 1).Draw(rt, "jitter")
		hint := rapid.SampledFrom([]string{"", "0", "3", "-1", "0.5"}).Draw(rt, "hint")
		synctest.Test(t, func(t *testing.T) {
			up := &script{answers: []any{503, 200}}
			least, most := time.Duration((1-jitter)*float64(time.Second))-1, time.Second
			if hint != "" {
				up.answers[0] = withRetryAfter(503, hint)
				d, _ := middleware.RetryAfter(http.Header{"Retry-After": {hint}})
				least, most = d, d+time.Duration(jitter*float64(time.Second)) // only forward
			}
			stage := newStage(t, exact(func(c *retry.Config) { c.Jitter = jitter }))
			_, err := do(t.Context(), stage.Wrap(up), "GET", nil)
			require.NoError(t, err)
			require.GreaterOrEqual(t, up.gaps()[0], least)
			require.LessOrEqual(t, up.gaps()[0], most)
		})
	})
}

// What is tried again.
func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		answer   any
		method   string
		attempts int
	}{
		"success":                       {200, "GET", 1},
		"redirect":                      {302, "GET", 1},
		"wrong request":                 {400, "GET", 1},
		"not found":                     {404, "GET", 1},
		"payment required":              {402, "GET", 1},
		"not implemented":               {501, "GET", 1},
		"too many requests":             {429, "GET", 2},
		"busy":                          {503, "GET", 2},
		"overloaded":                    {529, "GET", 2},
		"internal error":                {500, "GET", 2},
		"bad gateway":                   {502, "GET", 2},
		"gateway timeout":               {504, "GET", 2},
		"request timeout":               {408, "GET", 2},
		"connection reset":              {errReset, "GET", 2},
		"PUT, failure":                  {500, "PUT", 2},
		"POST, failure":                 {500, "POST", 1},
		"POST, connection reset":        {errReset, "POST", 1},
		"POST, too many requests":       {429, "POST", 2},
		"POST, busy":                    {503, "POST", 2},
		"POST, origin unreachable":      {523, "POST", 2},
		"POST, origin timed out":        {524, "POST", 1},
		"POST, never sent":              {&net.OpError{Op: "dial", Err: errReset}, "POST", 2},
		"PATCH, failure":                {500, "PATCH", 1},
		"refused by a stage":            {&middleware.RejectedError{Stage: "x"}, "GET", 1},
		"wrapped refusal":               {fmt.Errorf("y: %w", middleware.ErrRejected), "GET", 1},
		"unsupported protocol (no typ)": {errors.New("unsupported protocol scheme \"x\""), "GET", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{c.answer, 200}}
				_, _ = do(t.Context(), newStage(t, exact(nil)).Wrap(up), c.method, nil)
				require.Len(t, up.times, c.attempts)
			})
		})
	}
}

// Requirement 27.
func TestPostIsRepeatedOnlyWithPermission(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*retry.Config)
		prepare  func(*http.Request) *http.Request
		attempts int
	}{
		"without":         {nil, func(r *http.Request) *http.Request { return r }, 1},
		"by header":       {nil, func(r *http.Request) *http.Request { r.Header.Set("Idempotency-Key", "k"); return r }, 2},
		"by request":      {nil, func(r *http.Request) *http.Request { return r.WithContext(retry.Idempotent(r.Context())) }, 2},
		"by the settings": {func(c *retry.Config) { c.NonIdempotent = true }, func(r *http.Request) *http.Request { return r }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{500, 200}}
				req, _ := http.NewRequest("POST", "http://a/", strings.NewReader("prompt"))
				_, err := newStage(t, exact(c.change)).Wrap(up).RoundTrip(c.prepare(req))
				require.NoError(t, err)
				require.Len(t, up.times, c.attempts)
			})
		})
	}
}

// Requirement 8.
func TestRetryAfterIsObeyedInAllItsForms(t *testing.T) {
	for name, c := range map[string]struct {
		name, value string
		wait        time.Duration // -1: no second attempt
	}{
		"seconds":              {"Retry-After", "7", 7 * time.Second},
		"decimals":             {"Retry-After", "0.25", 250 * time.Millisecond},
		"milliseconds":         {"Retry-After-Ms", "1500", 1500 * time.Millisecond},
		"date":                 {"Retry-After", "Sat, 01 Jan 2000 00:00:20 GMT", 20 * time.Second}, // synctest begins at midnight UTC 2000-01-01
		"past date":            {"Retry-After", "Fri, 31 Dec 1999 00:00:00 GMT", 0},
		"negative":             {"Retry-After", "-5", 0},
		"longer than the cap":  {"Retry-After", "61", -1},
		"overflow":             {"Retry-After", "99999999999999999999", -1},
		"garbage is no hint":   {"Retry-After", "soon", time.Second},
		"empty is no hint":     {"Retry-After", "", time.Second},
		"infinity is no hint":  {"Retry-After", "Inf", time.Second},
		"exactly at the bound": {"Retry-After", "60", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{func(req *http.Request) (*http.Response, error) {
					return answer(req, 429, http.Header{c.name: {c.value}}), nil
				}, 200}}
				start := time.Now()
				resp, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), "GET", nil)
				require.NoError(t, err)
				if c.wait < 0 {
					require.Equal(t, "status 429", text(t, resp))
					require.Zero(t, time.Since(start))
					return
				}
				require.Equal(t, "status 200", text(t, resp))
				require.Equal(t, []time.Duration{c.wait}, up.gaps())
			})
		})
	}
}

// Requirement 9.
func TestNoWaitPastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		up := &script{answers: []any{503}}
		start := time.Now()
		resp, err := do(ctx, newStage(t, exact(func(c *retry.Config) { c.BaseDelay = 2 * time.Second })).Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Zero(t, time.Since(start))
		require.Equal(t, 503, resp.StatusCode)
		require.Equal(t, "status 503", text(t, resp))

		_, err = do(ctx, newStage(t, exact(nil)).Wrap(&script{answers: []any{errReset}}), "GET", nil)
		require.Zero(t, time.Since(start))
		require.ErrorIs(t, err, errReset)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Requirement 10.
func TestLastRealResponseComesBackReadable(t *testing.T) {
	refusal := &middleware.RejectedError{Stage: "circuit_breaker", Err: errors.New("open")}
	for name, answers := range map[string][]any{
		"on exhaustion":                      {500, 500, 503},
		"when a refusal comes after it":      {503, refusal},
		"when an error comes after it":       {503, errReset},
		"when an error comes between":        {errReset, 503, refusal},
		"when the hint is too long":          {500, withRetryAfter(503, "3600")},
		"when what follows is not worthwile": {500, withRetryAfter(503, "3600"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req, _ := http.NewRequest("GET", "http://a/x", nil)
				resp, err := newStage(t, exact(nil)).Wrap(&script{answers: answers}).RoundTrip(req)
				require.NoError(t, err)
				require.Equal(t, "status 503", text(t, resp))
				require.Same(t, req, resp.Request)
			})
		})
	}
}

// Requirement 10: also when the context ends during the backoff or a later attempt.
func TestLastResponseSurvivesTheEndOfTheContext(t *testing.T) {
	for name, second := range map[string]any{
		"in the backoff": 200,
		"in the next attempt": func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				after := 500 * time.Millisecond
				if name != "in the backoff" {
					after = 1500 * time.Millisecond
				}
				time.AfterFunc(after, cancel)
				resp, err := do(ctx, newStage(t, exact(nil)).Wrap(&script{answers: []any{503, second}}), "GET", nil)
				require.NoError(t, err)
				require.Equal(t, "status 503", text(t, resp))
			})
		})
	}
}

// Requirement 10: a refusal is one only if nothing of the call went upstream.
func TestErrors(t *testing.T) {
	refusal := &middleware.RejectedError{Stage: "circuit_breaker", Err: errors.New("open")}
	large := func(req *http.Request) (*http.Response, error) {
		r := answer(req, 503, http.Header{"X-Id": {"1"}})
		r.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 100<<10)))
		return r, nil
	}
	for name, c := range map[string]struct {
		answers  []any
		rejected bool
		gaveUp   bool
		status   int
		is       error
	}{
		"refused at once":               {[]any{refusal}, true, false, 0, refusal},
		"refused after an error":        {[]any{errReset, refusal}, false, true, 0, errReset},
		"errors only":                   {[]any{errReset}, false, true, 0, errReset},
		"too large to keep, then error": {[]any{large, errReset}, false, true, 0, errReset},
		"too large to keep, refused":    {[]any{large, refusal}, false, true, 503, retry.ErrGaveUp},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				resp, err := do(t.Context(), newStage(t, exact(nil)).Wrap(&script{answers: c.answers}), "GET", nil)
				require.Nil(t, resp)
				require.ErrorIs(t, err, c.is)
				require.Equal(t, c.rejected, errors.Is(err, middleware.ErrRejected))
				require.Equal(t, c.gaveUp, errors.Is(err, retry.ErrGaveUp))
				var e *retry.Error
				if errors.As(err, &e) {
					require.Equal(t, c.status, e.Status)
					if c.status != 0 {
						require.Equal(t, "1", e.Header.Get("X-Id"))
					}
				}
			})
		})
	}
}

func TestCancelDuringTheBackoffEndsTheCallAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, cancel)
		start := time.Now()
		_, err := do(ctx, newStage(t, exact(nil)).Wrap(&script{answers: []any{errReset}}), "GET", nil)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errReset)
	})
}

// Requirement 7.
func TestBodyIsSentAgain(t *testing.T) {
	for name, body := range map[string]io.Reader{
		"with GetBody":                     strings.NewReader("prompt"),
		"without, recorded":                io.MultiReader(strings.NewReader("prompt")),
		"without, exactly the bound":       io.MultiReader(strings.NewReader(strings.Repeat("x", 64))),
		"without, beyond the bound: never": io.MultiReader(strings.NewReader(strings.Repeat("x", 65))),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{503, 503, 200}}
				resp, err := do(t.Context(), newStage(t, exact(func(c *retry.Config) { c.ReplayBuffer = 64 })).Wrap(up), "POST", body)
				require.NoError(t, err)
				if strings.HasSuffix(name, "never") {
					require.Len(t, up.bodies, 1)
					require.Equal(t, "status 503", text(t, resp))
					return
				}
				require.Equal(t, "status 200", text(t, resp))
				require.Len(t, up.bodies, 3)
				require.Equal(t, up.bodies[0], up.bodies[2])
			})
		})
	}
}

func TestBodyThatCannotBeOpenedAgainEndsTheRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		req, _ := http.NewRequest("POST", "http://a/", bytes.NewReader([]byte("x")))
		req.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		resp, err := newStage(t, exact(nil)).Wrap(&script{answers: []any{503, 200}}).RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, "status 503", text(t, resp))
	})
}

// Requirement 19.
func TestNoPermitIsHeldDuringABackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		permit := make(onePermit, 1)
		rt := middleware.Chain(&script{answers: []any{503, 200}}, newStage(t, exact(nil)).Wrap, permit.wrap)

		first := make(chan error)
		go func() {
			_, err := do(t.Context(), rt, "GET", nil)
			first <- err
		}()
		synctest.Wait() // the first call is in its backoff
		start := time.Now()
		resp, err := do(t.Context(), rt, "GET", nil)
		require.NoError(t, err)
		require.Equal(t, "status 200", text(t, resp))
		require.Zero(t, time.Since(start))
		require.NoError(t, <-first)
	})
}

// onePermit is a semaphore of 1, held until the attempt's end.
type onePermit chan struct{}

func (p onePermit) Settle(uint64, middleware.End) { <-p }

func (p onePermit) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		p <- struct{}{}
		ex.OnEnd(p, 0)
		return next.RoundTrip(inner)
	})
}

// A body that never ends must not hold up the next attempt for ever.
func TestSlowBodyOfAFailedAttemptIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := func(req *http.Request) (*http.Response, error) {
			pr, pw := io.Pipe()
			context.AfterFunc(req.Context(), func() { pw.CloseWithError(req.Context().Err()) })
			return &http.Response{StatusCode: 503, Header: http.Header{}, Body: pr, Request: req}, nil
		}
		up := &script{answers: []any{hanging, 200}}
		resp, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Equal(t, "status 200", text(t, resp))
		require.Equal(t, []time.Duration{2 * time.Second}, up.gaps(), "1 s of reading, 1 s of backoff")
	})
}

func TestEventsAndStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kinds []string
		stage := newStage(t, exact(nil), retry.WithReporter(middleware.Reporter{Stage: "retry/x", Observer: middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
			kinds = append(kinds, fmt.Sprint(e.Stage, " ", e.Kind, " ", e.Attempt, " ", e.Wait))
		})}))
		_, err := do(t.Context(), stage.Wrap(&script{answers: []any{503, 200}}), "GET", nil)
		require.NoError(t, err)
		_, err = do(t.Context(), stage.Wrap(&script{answers: []any{503}}), "GET", nil)
		require.NoError(t, err)
		require.Equal(t, []string{
			"retry/x retrying 1 1s", "retry/x recovered 2 0s",
			"retry/x retrying 1 1s", "retry/x retrying 2 2s", "retry/x gave_up 3 0s",
		}, kinds)
		require.Equal(t, retry.Stats{
			Attempts: 5, Retries: 3, Recovered: 1, GaveUp: 1,
			Budgets: []retry.BudgetStats{{Key: "a", Calls: 2, Retries: 2, Left: 28}},
		}, stage.Stats(), "the retry that helped does not count")
	})
}

func TestUpdateHoldsForTheNextCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, exact(nil))
		require.Error(t, stage.Update(retry.Config{MaxAttempts: -1}))
		require.NoError(t, stage.Update(exact(func(c *retry.Config) { c.MaxAttempts = 1 })))
		up := &script{answers: []any{503}}
		_, err := do(t.Context(), stage.Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Len(t, up.times, 1)
	})
}

func TestConfiguration(t *testing.T) {
	require.NoError(t, retry.DefaultConfig().Validate())
	_, err := retry.New(retry.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	_, err = retry.New(retry.Config{MaxAttempts: 0, BaseDelay: 2, MaxDelay: 1, Jitter: 1.5, MaxRetryAfter: -1, ReplayBuffer: -1, KeepResponse: -1, KeepTime: -1, MinTime: -1,
		Budget: retry.BudgetConfig{Enabled: true, Share: -1, MinPerSecond: -1, Key: "x"}})
	for _, name := range []string{
		"max_attempts", "max_delay", "jitter", "max_retry_after", "min_time", "replay_buffer", "keep_response", "keep_time",
		"budget.share", "budget.min_per_second", "budget.window", "budget.key", "budget.max_keys",
	} {
		require.ErrorContains(t, err, name+": ")
	}
	cfg := retry.DefaultConfig()
	cfg.Budget.Share, cfg.Budget.MinPerSecond = 0, 0
	require.ErrorContains(t, cfg.Validate(), "budget.share: 0, like budget.min_per_second")
	cfg.Budget = retry.BudgetConfig{}
	require.NoError(t, cfg.Validate(), "switched off, the others do not matter")
}
