package retry_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

// tight allows one retry for two calls, and no more.
func tight(change func(*retry.Config)) retry.Config {
	return exact(func(c *retry.Config) {
		c.Budget.Share, c.Budget.MinPerSecond = 0.5, 0
		if change != nil {
			change(c)
		}
	})
}

func get(t *testing.T, rt http.RoundTripper, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	resp, err := rt.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// Requirement 22: out of budget, the live response goes back at once, and the event says why.
func TestEmptyBudgetGivesUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []middleware.Event
		stage := newStage(t, tight(nil), retry.WithReporter(middleware.Reporter{Observer: middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
			events = append(events, e)
		})}))
		start := time.Now()
		resp, err := do(t.Context(), stage.Wrap(always(503)), "GET", nil)
		require.NoError(t, err)
		require.Equal(t, "status 503", text(t, resp))
		require.Zero(t, time.Since(start))
		require.Len(t, events, 1)
		require.Equal(t, retry.EventGaveUp, events[0].Kind)
		require.ErrorIs(t, events[0].Err, retry.ErrBudget)

		stage = newStage(t, tight(nil))
		_, err = do(t.Context(), stage.Wrap(&script{answers: []any{errReset}}), "GET", nil)
		require.ErrorIs(t, err, retry.ErrBudget)
		require.ErrorIs(t, err, errReset)
		require.EqualValues(t, 1, stage.Stats().Budget)
	})
}

// Requirement 22: calls pay for retries while they are in the window, and one
// retry is paid for by as many calls as the share says.
func TestCallsPayForRetriesWithinTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, tight(func(c *retry.Config) { c.MaxAttempts = 2 }))
		ok, failing := stage.Wrap(always(200)), always(503)
		bad := stage.Wrap(failing)
		for range 3 {
			get(t, ok, "http://a/")
		}
		get(t, bad, "http://a/") // the 4th call: 2 retries are paid for
		require.EqualValues(t, 2, failing.n.Load())
		get(t, bad, "http://a/") // the 5th
		require.EqualValues(t, 4, failing.n.Load())
		get(t, bad, "http://a/") // the 6th: the third retry
		require.EqualValues(t, 6, failing.n.Load())
		get(t, bad, "http://a/") // the 7th
		require.EqualValues(t, 7, failing.n.Load())

		time.Sleep(10 * time.Second)
		get(t, bad, "http://a/")
		require.EqualValues(t, 8, failing.n.Load(), "the calls have left the window")
	})
}

// Calls that nobody looked at for long count as if they had come evenly.
func TestOldCallsPayForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, tight(nil))
		ok := stage.Wrap(always(200))
		for range 6000 {
			get(t, ok, "http://a/")
			time.Sleep(100 * time.Millisecond)
		}
		require.InDelta(t, 100, stage.Stats().Budgets[0].Calls, 5, "10 s of 10 per second")
		time.Sleep(5 * time.Second)
		require.InDelta(t, 50, stage.Stats().Budgets[0].Calls, 10)
		time.Sleep(5 * time.Second)
		require.Zero(t, stage.Stats().Budgets[0].Calls)
	})
}

// Requirement 30: each authority has a budget, and there is a bound on them.
func TestBudgetsAreKeyed(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*retry.Config)
		opts    []retry.Option
		budgets []string
		saved   bool
	}{
		"by authority": {nil, nil, []string{"a", "b"}, false},
		"shared":       {func(c *retry.Config) { c.Budget.Key = middleware.KeyShared }, nil, []string{""}, true},
		"by function": {nil, []retry.Option{retry.WithKey(func(r *http.Request) string { return r.URL.Path })},
			[]string{"/x"}, true},
		"bounded: idle ones are forgotten, others shared": {func(c *retry.Config) { c.Budget.MaxKeys = 1 }, nil, []string{"", "a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stage := newStage(t, tight(c.change), c.opts...)
				ok := stage.Wrap(always(200))
				for range 10 {
					get(t, ok, "http://a/x")
				}
				status := get(t, stage.Wrap(&script{answers: []any{503, 200}}), "http://b/x")
				require.Equal(t, c.saved, status == 200, "the calls to a pay for a retry to b")
				var keys []string
				for _, b := range stage.Stats().Budgets {
					keys = append(keys, b.Key)
				}
				require.Equal(t, c.budgets, keys)
			})
		})
	}
}

func TestManyKeysStayBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, exact(func(c *retry.Config) { c.Budget.MaxKeys = 16 }))
		ok := stage.Wrap(always(200))
		for i := range 200 {
			get(t, ok, fmt.Sprintf("http://host%d/", i))
		}
		require.LessOrEqual(t, len(stage.Stats().Budgets), 17)
		time.Sleep(time.Minute)
		get(t, ok, "http://late/")
		require.Contains(t, stage.Stats().Budgets, retry.BudgetStats{Key: "late", Calls: 1, Left: 30}, "idle ones made room")
	})
}

// Requirement 28.
func TestUpdateKeepsTheBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, tight(nil))
		for range 10 {
			get(t, stage.Wrap(always(200)), "http://a/")
		}
		require.NoError(t, stage.Update(tight(func(c *retry.Config) { c.Budget.Share = 0.1 })))
		require.Equal(t, []retry.BudgetStats{{Key: "a", Calls: 10, Left: 1}}, stage.Stats().Budgets)

		require.NoError(t, stage.Update(tight(func(c *retry.Config) { c.Budget.Window = time.Minute })))
		require.Empty(t, stage.Stats().Budgets, "another window begins anew")

		require.NoError(t, stage.Update(tight(func(c *retry.Config) { c.Budget = retry.BudgetConfig{} })))
		failing := always(503)
		get(t, stage.Wrap(failing), "http://a/")
		require.EqualValues(t, 3, failing.n.Load(), "no budget, no bound")
	})
}

// Used from many goroutines at once, at any moment it holds: no more retries than the calls allow.
func TestBudgetHoldsUnderConcurrentUse(t *testing.T) {
	up := always(503)
	cfg := retry.DefaultConfig()
	cfg.BaseDelay, cfg.Budget.MinPerSecond, cfg.Budget.Window = time.Microsecond, 0, 10*time.Minute
	stage := newStage(t, cfg)
	rt := stage.Wrap(up)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				resp, err := do(context.Background(), rt, "GET", nil)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 4800, up.n.Load())
	require.Equal(t, []retry.BudgetStats{{Key: "a", Calls: 4000, Retries: 800}}, stage.Stats().Budgets)
}
