package retry_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

func advised(status int, advice string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return answer(req, status, http.Header{"X-Should-Retry": {advice}}), nil
	}
}

// The upstream's own word outranks the verdict, both ways.
func TestAdviceOfTheUpstreamIsObeyed(t *testing.T) {
	for name, c := range map[string]struct {
		status   int
		advice   string
		method   string
		attempts int
	}{
		"busy, but no":                      {503, "false", "GET", 1},
		"too many requests, but no":         {429, "false", "GET", 1},
		"a conflict, but yes":               {409, "true", "GET", 2},
		"a missing quota, but yes":          {402, "true", "GET", 2},
		"a conflict, no":                    {409, "false", "GET", 1},
		"a success has nothing to gain":     {200, "true", "GET", 1},
		"a failed POST that may come again": {500, "true", "POST", 2},
		"a failed POST of which it is mum":  {500, "", "POST", 1},
		"another word":                      {409, "perhaps", "GET", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{advised(c.status, c.advice), 200}}
				_, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), c.method, nil)
				require.NoError(t, err)
				require.Len(t, up.times, c.attempts)
			})
		})
	}
}

// Advice does not lift the other bounds.
func TestAdviceToRepeatHasItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &script{answers: []any{advised(409, "true")}}
		resp, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Len(t, up.times, 3)
		require.Equal(t, "false", resp.Header.Get("X-Should-Retry"), "the caller is told otherwise in the end")

		up = &script{answers: []any{advised(409, "true")}}
		_, err = do(t.Context(), newStage(t, tight(nil)).Wrap(up), "GET", nil)
		require.NoError(t, err)
		require.Len(t, up.times, 1, "no budget")
	})
}

// The last response says whether a client above is to repeat what the stage gave up.
func TestLastResponseAdvisesTheCaller(t *testing.T) {
	refusal := &middleware.RejectedError{Stage: "x"}
	for name, c := range map[string]struct {
		answers []any
		method  string
		change  func(*retry.Config)
		advice  string
	}{
		"no attempts left":                    {[]any{503}, "GET", nil, "false"},
		"no attempts left, POST":              {[]any{503}, "POST", nil, "false"},
		"refused after an answer":             {[]any{503, refusal}, "GET", nil, "false"},
		"a hint beyond the cap":               {[]any{withRetryAfter(429, "3600")}, "GET", nil, "false"},
		"the upstream said so":                {[]any{advised(503, "false")}, "GET", nil, "false"},
		"out of budget":                       {[]any{503}, "GET", noBudget, "false"},
		"not safe here: the caller may":       {[]any{500}, "POST", nil, ""},
		"not safe here, and out of budget":    {[]any{500}, "POST", noBudget, "false"},
		"a payment is missing":                {[]any{402}, "POST", nil, "false"},
		"a payment is missing in the end":     {[]any{503, 402}, "GET", nil, "false"},
		"a success":                           {[]any{200}, "GET", nil, ""},
		"a success of a retry":                {[]any{503, 200}, "GET", nil, ""},
		"a wrong request":                     {[]any{400}, "GET", nil, ""},
		"switched off":                        {[]any{503}, "GET", func(c *retry.Config) { c.AdviseCaller = false }, ""},
		"max_attempts of 1 is giving up, too": {[]any{503}, "GET", func(c *retry.Config) { c.MaxAttempts = 1 }, "false"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				resp, err := do(t.Context(), newStage(t, exact(c.change)).Wrap(&script{answers: c.answers}), c.method, nil)
				require.NoError(t, err)
				require.Equal(t, c.advice, resp.Header.Get("X-Should-Retry"))
			})
		})
	}
}

func noBudget(c *retry.Config) { c.Budget.Share, c.Budget.MinPerSecond = 0.01, 0 }

// The header of a response may be an entry of a cache.
func TestAdviceIsWrittenIntoACopyOfTheHeader(t *testing.T) {
	for name, shared := range map[string]http.Header{"a header": {"X-Id": {"1"}}, "no header": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				before := shared.Clone()
				rt := newStage(t, exact(nil)).Wrap(roundTripper(func(req *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: 503, Header: shared, Body: http.NoBody, Request: req}, nil
				}))
				resp, err := do(t.Context(), rt, "GET", nil)
				require.NoError(t, err)
				require.Equal(t, "false", resp.Header.Get("X-Should-Retry"))
				require.Equal(t, shared.Get("X-Id"), resp.Header.Get("X-Id"))
				require.Equal(t, before, shared)
			})
		})
	}
}

// sdk sends a request as the SDKs of OpenAI and Anthropic do: up to three times,
// with a count, unless X-Should-Retry says no.
func sdk(t *testing.T, rt http.RoundTripper, method string) (resp *http.Response, err error) {
	t.Helper()
	for n := range 3 {
		req, _ := http.NewRequestWithContext(t.Context(), method, "http://a/x", nil)
		req.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(n))
		resp, err = rt.RoundTrip(req)
		if err == nil && (resp.StatusCode < 400 || resp.Header.Get("X-Should-Retry") == "false") {
			break
		}
		time.Sleep(time.Second)
	}
	return resp, err
}

// Requirement 31: an SDK above does not multiply the attempts.
func TestSDKAboveDoesNotMultiply(t *testing.T) {
	for name, c := range map[string]struct {
		answer   any
		method   string
		change   func(*retry.Config)
		attempts int
	}{
		"busy":                         {503, "POST", nil, 3}, // 9 without the advice
		"errors carry no advice":       {errReset, "GET", nil, 3 + 1 + 1},
		"errors, more attempts than 3": {errReset, "GET", func(c *retry.Config) { c.MaxAttempts = 5 }, 5 + 1 + 1},
		"the caller's own retries":     {500, "POST", nil, 3},
		"the advice switched off":      {503, "POST", func(c *retry.Config) { c.AdviseCaller = false }, 3 + 1 + 1},
		"no attempts of one's own":     {errReset, "GET", func(c *retry.Config) { c.MaxAttempts = 1 }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{c.answer}}
				_, _ = sdk(t, newStage(t, exact(c.change)).Wrap(up), c.method)
				require.Len(t, up.times, c.attempts)
			})
		})
	}
}

// The retries of an outer client come out of the same budget, without being refused.
func TestOuterRetriesShareTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &script{answers: []any{errReset}}
		stage := newStage(t, exact(func(c *retry.Config) { c.MaxAttempts, c.Budget.MinPerSecond = 1, 0.1 }))
		_, err := sdk(t, stage.Wrap(up), "GET")
		require.ErrorIs(t, err, errReset)
		require.Equal(t, retry.Stats{
			Attempts: 3, GaveUp: 3, Outer: 2,
			Budgets: []retry.BudgetStats{{Key: "a", Calls: 1, Retries: 2, Left: -1}},
		}, stage.Stats())
	})
}

func TestOuterRetriesThatSucceedAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, exact(func(c *retry.Config) { c.MaxAttempts = 1 }))
		_, err := sdk(t, stage.Wrap(&script{answers: []any{errReset, 200}}), "GET")
		require.NoError(t, err)
		require.Equal(t, []retry.BudgetStats{{Key: "a", Calls: 1, Left: 30}}, stage.Stats().Budgets)
	})
}

func TestCountsThatMakeNoSenseAreNoCounts(t *testing.T) {
	for value, attempts := range map[string]int{
		"": 3, "0": 3, "00": 3, "-1": 3, "x": 3, "1.5": 3, "99999999999999999999": 3,
		"1": 1, "2": 1, "3": 1, "2000000000": 1,
	} {
		t.Run(value, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				up := &script{answers: []any{503}}
				req, _ := http.NewRequest("GET", "http://a/", nil)
				req.Header["X-Stainless-Retry-Count"] = []string{value}
				_, err := newStage(t, exact(nil)).Wrap(up).RoundTrip(req)
				require.NoError(t, err)
				require.Len(t, up.times, attempts)
			})
		})
	}
}

// Hints come through the outcome, from wherever a provider's stage read them.
func TestHintsOfAProviderStage(t *testing.T) {
	for name, c := range map[string]struct {
		hint time.Duration
		wait time.Duration // -1: no second attempt
	}{
		"obeyed":                {3 * time.Second, 3 * time.Second},
		"beyond the cap":        {time.Hour, -1},
		"beyond the deadline":   {50 * time.Second, -1},
		"as long as time gives": {1<<63 - 1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				provider := func(next http.RoundTripper) http.RoundTripper {
					return roundTripper(func(req *http.Request) (*http.Response, error) {
						ex := middleware.FromContext(req.Context())
						resp, err := next.RoundTrip(req)
						o := ex.Outcome(resp, err)
						o.RetryAfter, o.Hinted = c.hint, true
						ex.Decide(o)
						return resp, err
					})
				}
				up := &script{answers: []any{429}}
				stage := newStage(t, exact(func(c *retry.Config) {
					c.MaxAttempts = 2
					if name == "as long as time gives" {
						c.MaxRetryAfter, c.Jitter = 1<<63-1, 1
					}
				}))
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
				defer cancel()
				start := time.Now()
				resp, err := do(ctx, middleware.Chain(up, stage.Wrap, provider), "GET", nil)
				require.NoError(t, err)
				require.Equal(t, "status 429", text(t, resp))
				if c.wait < 0 {
					require.Zero(t, time.Since(start))
					return
				}
				require.Equal(t, []time.Duration{c.wait}, up.gaps())
			})
		})
	}
}

// Requirement 9, with a reserve for the attempt itself.
func TestNoAttemptForWhichTimeIsTooShort(t *testing.T) {
	for minTime, attempts := range map[time.Duration]int{0: 2, 999 * time.Millisecond: 2, time.Second: 1, 1<<63 - 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			up := &script{answers: []any{503}}
			start := time.Now()
			_, err := do(ctx, newStage(t, exact(func(c *retry.Config) { c.MinTime = minTime })).Wrap(up), "GET", nil)
			require.NoError(t, err)
			require.Len(t, up.times, attempts)
			require.Equal(t, time.Duration(attempts-1)*time.Second, time.Since(start))
		})
	}
}

// Another stage's error that wraps a giving up is one, too.
func TestErrorOfAStageThatGaveUpIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gaveUp := &retry.Error{Stage: "inner", Attempts: 3, Reason: errors.New("no attempts left"), Err: errReset}
		up := &script{answers: []any{gaveUp}}
		_, err := do(t.Context(), newStage(t, exact(nil)).Wrap(up), "GET", nil)
		require.Same(t, gaveUp, err, "nothing to add")
		require.Len(t, up.times, 1)
	})
}
