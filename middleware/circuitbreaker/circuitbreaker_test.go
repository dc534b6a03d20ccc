package circuitbreaker_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

// rateOnly leaves the failure rate alone to decide.
func rateOnly(c *circuitbreaker.Config) { c.ConsecutiveFailures = 0 }

func TestOpensAtTheFailureRateAndNotBefore(t *testing.T) {
	for name, windowCalls := range map[string]int{"window of time": 0, "window of calls": 50} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(c *circuitbreaker.Config) { rateOnly(c); c.WindowCalls = windowCalls })
				r.good(20)
				r.bad(19)
				r.state(circuitbreaker.Closed) // 19 of 39
				r.bad(1)
				r.state(circuitbreaker.Open) // 20 of 40
				r.refused(5 * time.Second)
			})
		})
	}
}

func TestRatesMeanNothingBelowMinCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, rateOnly)
		r.bad(19)
		r.state(circuitbreaker.Closed)
		r.bad(1)
		r.state(circuitbreaker.Open)
	})
}

func TestARateThatFloatingPointCannotMultiply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { rateOnly(c); c.FailureRate = 0.07 })
		r.good(93)
		r.bad(6)
		r.state(circuitbreaker.Closed)
		r.bad(1)
		r.state(circuitbreaker.Open)
	})
}

func TestAGoodCallIsNoReasonToOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, rateOnly)
		r.bad(19)
		r.good(1) // now there are 20, 95 % of them failed
		r.state(circuitbreaker.Closed)
		r.bad(1)
		r.state(circuitbreaker.Open)
	})
}

func TestOpensAtFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { c.FailureRate = 0 })
		r.bad(9)
		r.good(1)
		r.bad(9)
		r.state(circuitbreaker.Closed)
		require.EqualValues(t, 9, r.report().Consecutive)
		r.bad(1)
		r.state(circuitbreaker.Open)
	})
}

func TestFailuresLeaveTheWindowAfterItsLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, rateOnly)
		r.bad(19)
		time.Sleep(30*time.Second - 1)
		require.EqualValues(t, 19, r.report().Failures)
		time.Sleep(time.Nanosecond)
		require.Zero(t, r.report().Failures)
		r.bad(1)
		r.state(circuitbreaker.Closed)
		require.EqualValues(t, 1, r.report().Calls)
	})
}

func TestTheLastCallsCountWhateverTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *circuitbreaker.Config) { rateOnly(c); c.WindowCalls = 20 })
		r.bad(9)
		time.Sleep(24 * time.Hour)
		r.good(15) // pushes 4 failures out
		require.EqualValues(t, 5, r.report().Failures)
		require.EqualValues(t, 20, r.report().Calls)
		r.bad(4)
		r.state(circuitbreaker.Closed)
	})
}

func TestWhatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		answer   func(*http.Request) (*http.Response, error)
		failures []string // nil for the default
		calls    int64
		failed   int64
	}{
		"success":                   {answer: status(200), calls: 1},
		"invalid is healthy":        {answer: status(404), calls: 1},
		"exhausted":                 {answer: status(402), calls: 1},
		"pushback":                  {answer: status(429), calls: 1},
		"busy":                      {answer: status(503), calls: 1, failed: 1},
		"failure":                   {answer: status(500), calls: 1, failed: 1},
		"no connection":             {answer: fails, calls: 1, failed: 1},
		"busy, if not asked for":    {answer: status(503), failures: []string{"failure"}, calls: 1},
		"pushback, if asked for":    {answer: status(429), failures: []string{"pushback"}, calls: 1, failed: 1},
		"exhausted, if asked for":   {answer: status(402), failures: []string{"exhausted"}, calls: 1, failed: 1},
		"a local refusal (14)":      {answer: refuses},
		"a wrapped refusal too(14)": {answer: func(*http.Request) (*http.Response, error) { return nil, middleware.ErrRejected }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(cfg *circuitbreaker.Config) {
				if c.failures != nil {
					cfg.Failures = c.failures
				}
			})
			r.answer = c.answer
			_ = r.call()
			require.Equal(t, c.calls, r.report().Calls)
			require.Equal(t, c.failed, r.report().Failures)
			require.Equal(t, c.failed, r.report().Consecutive)
		})
	}
}

func refuses(*http.Request) (*http.Response, error) {
	return nil, &middleware.RejectedError{Stage: "semaphore", Err: errors.New("queue is full")}
}

// Requirement 14: what a stage below refuses does not end a row of failures, either.
func TestARefusalBelowDoesNotResetTheRow(t *testing.T) {
	r := newRig(t, nil)
	r.bad(9)
	r.answer = refuses
	require.ErrorIs(t, r.call(), middleware.ErrRejected)
	require.EqualValues(t, 9, r.report().Consecutive)
	r.bad(1)
	r.state(circuitbreaker.Open)
}

func TestTheRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		time.Sleep(1500 * time.Millisecond)
		body := &closeSpy{Reader: strings.NewReader("x")}
		req := r.request(t.Context())
		req.Method, req.Body = http.MethodPost, body
		resp, err := r.rt.RoundTrip(req)
		require.Nil(t, resp)
		require.Equal(t, &middleware.RejectedError{
			Stage: "circuit_breaker", Key: host, RetryAfter: 3500 * time.Millisecond, Err: circuitbreaker.ErrOpen,
		}, err)
		require.ErrorIs(t, err, middleware.ErrRejected)
		require.EqualError(t, err, "circuit_breaker: api.example.com: circuit is open, come back in 3.5s")
		require.Equal(t, 1, body.closed)
		require.EqualValues(t, 1, r.report().Rejected)
	})
}

type closeSpy struct {
	io.Reader
	closed int
}

func (c *closeSpy) Close() error { c.closed++; return nil }

func TestTheRefusalCostsOneAllocation(t *testing.T) {
	s, err := circuitbreaker.New(config(func(c *circuitbreaker.Config) { c.ConsecutiveFailures = 1 }))
	require.NoError(t, err)
	rt := s.Wrap(middleware.RoundTripperFunc(fails))
	req, _ := http.NewRequest(http.MethodGet, "http://"+host+"/", nil)
	_, err = rt.RoundTrip(req)
	require.ErrorIs(t, err, errConnection)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = rt.RoundTrip(req) }), 1.0)
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.bad(10)
		r.refused(5 * time.Second)
		time.Sleep(5 * time.Second)
		r.bad(1)
		time.Sleep(10 * time.Second)
		r.good(1)
		require.Equal(t, []string{
			"opened WARN 5s cause=consecutive_failures calls=10 failures=10 slow=0 consecutive=10",
			"rejected DEBUG 5s",
			"half_open INFO 0s",
			"opened WARN 10s cause=probe",
			"half_open INFO 0s",
			"closed INFO 0s",
		}, describe(t, r.events))
	})
}

func describe(t *testing.T, events []middleware.Event) (lines []string) {
	t.Helper()
	for _, e := range events {
		require.Equal(t, "circuit_breaker", e.Stage)
		require.Equal(t, host, e.Key)
		line := e.Kind + " " + e.Level.String() + " " + e.Wait.String()
		for _, a := range e.Attrs {
			line += " " + a.String()
		}
		lines = append(lines, line)
	}
	return lines
}

func TestTheAttemptIsInTheEvents(t *testing.T) {
	r := newRig(t, func(c *circuitbreaker.Config) { c.ConsecutiveFailures = 1 })
	r.answer = fails
	rt := middleware.Chain(middleware.RoundTripperFunc(fails), middlewaretest.Attempting, attempts(2), r.stage.Wrap)
	_, err := rt.RoundTrip(r.request(t.Context()))
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
	require.Equal(t, []int{1, 2}, []int{r.events[0].Attempt, r.events[1].Attempt})
}

// attempts repeats a request n times, whatever comes of it.
func attempts(n int) middleware.Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, req := middleware.Join(req)
			for range n {
				resp, err = attempt(ex, req, next)
			}
			return resp, err
		})
	}
}

func attempt(ex *middleware.Exchange, req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
	child, inner := ex.Child(req)
	defer child.Leave(req, &resp, &err)
	return next.RoundTrip(inner)
}
