package ratelimit_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

// units gives 10 units a second, 100 at most, and any number of requests.
func units(change func(*ratelimit.Config)) ratelimit.Config {
	return config(func(cfg *ratelimit.Config) {
		cfg.Requests, cfg.Burst = 1e6, 1e6
		cfg.Units = ratelimit.UnitsConfig{Limit: 600, Per: time.Minute, Burst: 100}
		if change != nil {
			change(cfg)
		}
	})
}

// byPath takes a request's cost from its path: /30 or /30/what-it-took-in-fact.
func byPath(req *http.Request) int {
	estimate, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	n, _ := strconv.Atoi(estimate)
	return n
}

// reporting is a stage further in that reports what a request took.
func reporting(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if _, actual, ok := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/"); ok {
			n, _ := strconv.Atoi(actual)
			ratelimit.Report(req.Context(), n)
		}
		return next.RoundTrip(req)
	})
}

// newUnitsCaller has its costs from the paths, and a stage in between that reports.
func newUnitsCaller(t *testing.T, cfg ratelimit.Config, opts ...ratelimit.Option) *caller {
	c := newCaller(t, cfg, append([]ratelimit.Option{ratelimit.WithCost(byPath)}, opts...)...)
	c.inner = reporting(c.up)
	return c
}

func TestUnitsTakeAsLongAsTheirRateSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		calls []string
		at    []time.Duration
	}{
		{name: "the burst is there", calls: []string{"60", "40", "0"}, at: []time.Duration{0, 0, 0}},
		{name: "what is missing is waited for", calls: []string{"100", "30", "5"}, at: []time.Duration{0, 3 * time.Second, 3500 * time.Millisecond}},
		{name: "small ones do not overtake", calls: []string{"90", "50", "1"}, at: []time.Duration{0, 4 * time.Second, 4100 * time.Millisecond}},
		{name: "more than the burst goes when all of it is there", calls: []string{"10", "150", "10"}, at: []time.Duration{0, time.Second, 7 * time.Second}},
		{name: "a first request above the limit passes", calls: []string{"500", "1"}, at: []time.Duration{0, 40100 * time.Millisecond}},
		{name: "the debt is bounded by the limit", calls: []string{"1000000", "0"}, at: []time.Duration{0, time.Minute}},
		{name: "negative is nothing", calls: []string{"-50", "100"}, at: []time.Duration{0, 0}},
		{name: "a lower report gives units back", calls: []string{"100/20", "80", "10"}, at: []time.Duration{0, 0, time.Second}},
		{name: "a higher report is paid by the next", calls: []string{"50/120", "10"}, at: []time.Duration{0, 3 * time.Second}},
		{name: "a report makes no more debt than the limit", calls: []string{"100/999999999", "0"}, at: []time.Duration{0, time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := newUnitsCaller(t, units(nil))
				for _, path := range c.calls {
					caller.call(path, 0)
				}
				caller.calls.Wait()
				require.Equal(t, c.at, caller.up.times())
				require.Equal(t, strings.Join(c.calls, " "), caller.up.paths())
			})
		})
	}
}

func TestBothBudgetsCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newUnitsCaller(t, units(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 1, 2 }))
		for _, cost := range []string{"0", "100", "0", "20"} {
			c.call(cost, 0)
		}
		c.calls.Wait()
		require.Equal(t, []time.Duration{0, 0, time.Second, 2 * time.Second}, c.up.times())
	})
}

// Requirement 9: the forecast knows both budgets.
func TestWhoCannotHaveItsUnitsInTimeIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newUnitsCaller(t, units(nil))
		c.call("100", 0)
		c.call("20", 0) // at 2s
		r := c.call("20", 3*time.Second)
		require.False(t, r.done.Load(), "it overtakes: 2s")
		r = c.call("20", 4*time.Second)
		require.True(t, r.done.Load())
		require.ErrorIs(t, r.err, ratelimit.ErrTooLate)
		require.ErrorIs(t, r.err, context.DeadlineExceeded)
		require.Equal(t, 4*time.Second, rejection(t, r.err).RetryAfter)
		c.calls.Wait()
		require.Equal(t, []time.Duration{0, 2 * time.Second, 4 * time.Second}, c.up.times())
	})
}

func TestDebtRefusesAtOnceWhoBecomesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, units(nil), ratelimit.WithCost(byPath))
		var ctx context.Context
		c.inner = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			ctx = req.Context()
			return c.up.RoundTrip(req)
		})
		c.call("100", 0)
		first := ctx
		short, long := c.call("10", 2*time.Second), c.call("10", 0)
		require.True(t, ratelimit.Report(first, 150))
		synctest.Wait()
		require.True(t, short.done.Load())
		require.ErrorIs(t, short.err, ratelimit.ErrTooLate)
		require.False(t, long.done.Load())
		require.Equal(t, -50.0, only(t, c.l).Units)
		// The last report counts, also a late one.
		require.True(t, ratelimit.Report(first, 90))
		synctest.Wait()
		require.True(t, long.done.Load(), "what is given back goes to the head at once")
		c.calls.Wait()
		require.EqualValues(t, 100, only(t, c.l).Spent)
	})
}

func TestDebtRefusesAtOnceAlsoBehindTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, units(nil), ratelimit.WithCost(byPath))
		var first context.Context
		c.inner = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			if first == nil {
				first = req.Context()
			}
			return c.up.RoundTrip(req)
		})
		c.call("100", 0)
		head, second := c.call("10", 8*time.Second), c.call("40", 9*time.Second)
		ratelimit.Report(first, 150)
		synctest.Wait()
		require.True(t, second.done.Load())
		require.Equal(t, 10*time.Second, rejection(t, second.err).RetryAfter)
		c.calls.Wait()
		require.Equal(t, 6*time.Second, head.took)
	})
}

func TestWhereACostComesFrom(t *testing.T) {
	fromHeader := ratelimit.WithActual(func(resp *http.Response) (int, bool) {
		n, err := strconv.Atoi(resp.Header.Get("X-Units"))
		return n, err == nil
	})
	for _, c := range []struct {
		name  string
		opts  []ratelimit.Option
		ctx   func(context.Context) context.Context
		units string // that the response tells
		spent []uint64
	}{
		{name: "nobody says it", spent: []uint64{0, 0}},
		{name: "a function", opts: []ratelimit.Option{ratelimit.WithCost(byPath)}, spent: []uint64{7, 14}},
		{
			name: "the call outranks the function", opts: []ratelimit.Option{ratelimit.WithCost(byPath)},
			ctx:   func(ctx context.Context) context.Context { return ratelimit.Cost(ctx, 9) },
			spent: []uint64{9, 18},
		},
		{name: "the response", opts: []ratelimit.Option{fromHeader}, units: "30", spent: []uint64{30, 60}},
		{name: "a response that does not tell", opts: []ratelimit.Option{fromHeader, ratelimit.WithCost(byPath)}, spent: []uint64{7, 14}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newStage(t, units(nil), c.opts...)
				ctx := t.Context()
				if c.ctx != nil {
					ctx = c.ctx(ctx)
				}
				up := newUpstream()
				up.answer = func(req *http.Request) *http.Response {
					return respond(req, http.StatusOK, http.Header{"X-Units": {c.units}})
				}
				for _, spent := range c.spent {
					require.NoError(t, get(ctx, l.Wrap(up), "http://a/7"))
					require.Equal(t, spent, only(t, l).Spent)
				}
			})
		})
	}
}

func TestUnknownCostIsTheAverageOfWhatWasReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, units(nil))
		c.inner = reporting(c.up)
		c.call("x/20", 0)
		c.call("x/40", 0)
		require.Equal(t, 40.0, only(t, c.l).Units)
		c.call("unreported", 0)
		require.Equal(t, 10.0, only(t, c.l).Units, "30 is the average")
		next := c.call("unreported", 0)
		require.False(t, next.done.Load(), "20 are missing")
		c.calls.Wait()
		require.Equal(t, 2*time.Second, next.took)
	})
}

// Item 4: what was not used is given back.
func TestUnitsOfARequestThatIsNotProcessedAreGivenBack(t *testing.T) {
	for _, c := range []struct {
		name          string
		status        int
		err           error
		report        bool
		tokens, units float64
	}{
		{name: "refused further in", err: &middleware.RejectedError{Stage: "semaphore", Err: errors.New("full")}, tokens: 5, units: 100},
		{name: "never sent", err: &dialError, tokens: 5, units: 100},
		{name: "broken connection", err: errors.New("connection reset"), tokens: 4, units: 40},
		{name: "refused by the upstream", status: 429, tokens: 4, units: 100},
		{name: "refused by the upstream, which counts it all the same", status: 429, report: true, tokens: 4, units: 90},
		{name: "failed", status: 500, tokens: 4, units: 40},
		{name: "done", status: 200, tokens: 4, units: 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newStage(t, units(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 1, 5 }), ratelimit.WithCost(byPath))
				_ = get(t.Context(), l.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
					if c.report {
						ratelimit.Report(req.Context(), 10)
					}
					if c.err != nil {
						return nil, c.err
					}
					return respond(req, c.status, nil), nil
				})), "http://a/60")
				require.Equal(t, c.tokens, only(t, l).Tokens)
				require.Equal(t, c.units, only(t, l).Units)
			})
		})
	}
}

// Each attempt has its own reservation, and every stage with units is told.
func TestReportFindsItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, inner := newStage(t, units(nil)), newStage(t, units(nil))
		var attempts []context.Context
		rt := middleware.Chain(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			attempts = append(attempts, req.Context())
			return respond(req, http.StatusServiceUnavailable, nil), nil
		}), twice, outer.Wrap, middlewaretest.Settling, inner.Wrap)
		require.NoError(t, get(t.Context(), rt, "http://a/"))
		require.Len(t, attempts, 2)
		require.True(t, ratelimit.Report(attempts[0], 10))
		require.True(t, ratelimit.Report(attempts[1], 5))
		require.True(t, ratelimit.Report(attempts[0], 3))
		require.EqualValues(t, 8, only(t, outer).Spent)
		require.EqualValues(t, 8, only(t, inner).Spent)

		require.False(t, ratelimit.Report(t.Context(), 1))
		plain := newStage(t, config(nil))
		require.NoError(t, get(t.Context(), plain.Wrap(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			require.False(t, ratelimit.Report(req.Context(), 1), "no budget in units")
			return respond(req, http.StatusOK, nil), nil
		})), "http://a/"))
	})
}

// twice makes two attempts of each call.
func twice(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		for range 2 {
			if resp != nil {
				_ = resp.Body.Close()
			}
			child, attempt := ex.Child(inner)
			resp, err = next.RoundTrip(attempt)
			child.Leave(inner, &resp, &err)
		}
		return resp, err
	})
}

// A context that is derived below, as net/http does, ends with the call, and
// still knows the exchange; no goroutine is started for it (goleak, and the
// bubble, would see one that stays).
func TestReservationIsAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newStage(t, units(nil))
		ctx, cancel := context.WithCancel(t.Context())
		var derived context.Context
		rt := middleware.Chain(middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			require.NotNil(t, middleware.FromContext(req.Context()))
			c, stop := context.WithCancel(req.Context())
			defer stop()
			derived = c
			cancel()
			<-c.Done()
			return nil, c.Err()
		}), l.Wrap)
		require.ErrorIs(t, get(ctx, rt, "http://a/"), context.Canceled)
		require.ErrorIs(t, derived.Err(), context.Canceled)
	})
}

func TestUnitsCanBeChangedInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newUnitsCaller(t, units(nil))
		c.call("100", 0)
		waits := c.call("50", 0)
		require.NoError(t, c.l.Update(units(func(cfg *ratelimit.Config) { cfg.Units.Limit = 6000 })))
		c.calls.Wait()
		require.Equal(t, 500*time.Millisecond, waits.took)

		c.call("100", 0)
		require.NoError(t, c.l.Update(units(func(cfg *ratelimit.Config) { cfg.Units.Limit = 0 })))
		c.calls.Wait()
		require.Equal(t, 500*time.Millisecond, time.Since(c.up.start), "nobody waits for a budget that is gone")
		require.Zero(t, only(t, c.l).UnitRate)
		require.NoError(t, c.l.Update(units(nil)))
		require.Equal(t, 100.0, only(t, c.l).Units)
		require.Equal(t, 10.0, only(t, c.l).UnitRate)
	})
}
