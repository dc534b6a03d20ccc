package retry_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

// counting answers every request alike and counts them; safe for concurrent use.
type counting struct {
	n      atomic.Int64
	answer func(n int64, req *http.Request) (*http.Response, error)
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	return c.answer(c.n.Add(1), req)
}

func always(status int) *counting {
	return &counting{answer: func(_ int64, req *http.Request) (*http.Response, error) { return answer(req, status, nil), nil }}
}

// load makes so many calls at an even rate, without waiting for one another,
// and counts the answers by status (0: an error).
func load(t *testing.T, rt http.RoundTripper, calls int, every time.Duration) map[int]int {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	statuses := map[int]int{}
	for range calls {
		wg.Go(func() {
			status := 0
			if resp, err := do(t.Context(), rt, "GET", nil); err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close()
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
		time.Sleep(every)
	}
	wg.Wait()
	return statuses
}

// Requirement 22: while everything fails, the budget bounds the requests per
// call; with the defaults to 1.25 from 12 calls per second on.
func TestRetryStorm(t *testing.T) {
	for name, c := range map[string]struct {
		calls       int
		every       time.Duration
		least, most float64 // upstream requests per call
	}{
		"1000 per second":            {8000, time.Millisecond, 1.195, 1.2},
		"100 per second":             {4000, 10 * time.Millisecond, 1.18, 1.2},
		"12 per second":              {2400, time.Second / 12, 1.23, 1.25},
		"all at once":                {2000, 0, 1.2, 1.2},
		"5 per second: the floor":    {1500, 200 * time.Millisecond, 1.55, 1.62},
		"1 per second: max_attempts": {300, time.Second, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := always(503)
				cfg := retry.DefaultConfig()
				stage := newStage(t, cfg)
				statuses := load(t, stage.Wrap(up), c.calls, c.every)
				require.Equal(t, map[int]int{503: c.calls}, statuses, "everybody gets the live response")

				perCall := float64(up.n.Load()) / float64(c.calls)
				require.GreaterOrEqual(t, perCall, c.least)
				require.LessOrEqual(t, perCall, c.most)
				s := stage.Stats()
				require.EqualValues(t, up.n.Load(), s.Attempts)
				require.EqualValues(t, c.calls, s.GaveUp)
				require.Equal(t, c.most < 3, s.Budget > 0)
			})
		})
	}
}

// The same without a budget, so that the figures above mean something.
func TestRetryStormWithoutABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := always(503)
		cfg := retry.DefaultConfig()
		cfg.Budget.Enabled = false
		stage := newStage(t, cfg)
		load(t, stage.Wrap(up), 1000, time.Millisecond)
		require.EqualValues(t, 3000, up.n.Load())
		require.Empty(t, stage.Stats().Budgets)
	})
}

// Requirement 22: what a retry achieves does not use the budget up, however
// many calls need one. (aws-sdk-go-v2#3550, #3186)
func TestRetriesThatEndTheFailureAreGivenBack(t *testing.T) {
	for name, second := range map[string]int{
		"a success":             200,
		"a non-retryable error": 404,
		"an exhausted quota":    402,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := newStage(t, retry.DefaultConfig()).Wrap(roundTripper(func(req *http.Request) (*http.Response, error) {
					if middleware.FromContext(req.Context()).Attempt() == 1 {
						return answer(req, 503, nil), nil
					}
					return answer(req, second, nil), nil
				}))
				require.Equal(t, map[int]int{second: 3000}, load(t, rt, 3000, 10*time.Millisecond))
			})
		})
	}
}

// Requirement 22: the budget is no hindrance in a brown-out of 10 %.
func TestABrownOutFitsTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &counting{answer: func(n int64, req *http.Request) (*http.Response, error) {
			if n%10 == 0 {
				return answer(req, 500, nil), nil
			}
			return answer(req, 200, nil), nil
		}}
		stage := newStage(t, retry.DefaultConfig())
		require.GreaterOrEqual(t, load(t, stage.Wrap(up), 5000, 5*time.Millisecond)[200], 4990)
		require.Zero(t, stage.Stats().Budget)
	})
}

// Requirement 22: after an outage the first calls can be retried again, though
// nothing succeeded in between.
func TestTheBudgetRecoversByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := always(503)
		stage := newStage(t, retry.DefaultConfig())
		load(t, stage.Wrap(failing), 3000, 10*time.Millisecond)
		require.NotZero(t, stage.Stats().Budget)
		time.Sleep(10 * time.Second)
		require.Equal(t, []retry.BudgetStats{{Key: "a", Left: 30}}, stage.Stats().Budgets)
		require.Equal(t, 200, get(t, stage.Wrap(&script{answers: []any{503, 200}}), "http://a/"))
	})
}

// Requirements 16 and 22: a 429 with a hint is free, for the upstream has named
// the time; one without is not.
func TestPushbackWithAHintIsFree(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		ok     int
	}{
		"with a hint":    {http.Header{"Retry-After": {"2"}}, 1600},
		"without a hint": {http.Header{}, 320},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &counting{answer: func(n int64, req *http.Request) (*http.Response, error) {
					if n <= 1600 {
						return answer(req, 429, c.header), nil
					}
					return answer(req, 200, nil), nil
				}}
				require.Equal(t, c.ok, load(t, newStage(t, retry.DefaultConfig()).Wrap(up), 1600, 0)[200])
			})
		})
	}
}

// Retries that were not made after all, and calls that never went upstream, do not count.
func TestWhatDidNotGoUpstreamIsNoBusinessOfTheBudget(t *testing.T) {
	refusal := &middleware.RejectedError{Stage: "x"}
	for name, c := range map[string]struct {
		answers []any
		cancel  bool
		getBody func() (io.ReadCloser, error)
		calls   int
	}{
		"refused at once":          {answers: []any{refusal}, calls: 0},
		"the retry refused":        {answers: []any{503, refusal}, calls: 1},
		"cancelled in the backoff": {answers: []any{503}, cancel: true, calls: 1},
		"the body is gone": {
			answers: []any{503}, calls: 1,
			getBody: func() (io.ReadCloser, error) { return nil, errors.New("gone") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.cancel {
					time.AfterFunc(500*time.Millisecond, cancel)
				}
				stage := newStage(t, exact(nil))
				req, _ := http.NewRequestWithContext(ctx, "PUT", "http://a/", strings.NewReader("x"))
				if c.getBody != nil {
					req.GetBody = c.getBody
				}
				_, _ = stage.Wrap(&script{answers: c.answers}).RoundTrip(req)
				require.Equal(t, []retry.BudgetStats{{Key: "a", Calls: c.calls, Left: 30}}, stage.Stats().Budgets)
			})
		})
	}
}
