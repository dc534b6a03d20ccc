package circuitbreaker_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

// model is a breaker as one would write it without regard to speed: one call
// at a time, windows of calls, failures in a row.
type model struct {
	cfg       circuitbreaker.Config
	state     circuitbreaker.State
	last      []bool // the window; true for a failure
	row       int
	successes int
	until     time.Time
	closed    time.Time
	streak    int
}

// refuses tells whether a call is refused, and enters half-open if it is time.
func (m *model) refuses() bool {
	if m.state == circuitbreaker.Open {
		if time.Now().Before(m.until) {
			return true
		}
		m.state, m.successes = circuitbreaker.HalfOpen, 0
	}
	return false
}

func (m *model) settle(failed bool) {
	if m.state == circuitbreaker.HalfOpen {
		m.successes++
		if failed {
			m.open()
		} else if m.successes == m.cfg.ProbeSuccesses {
			m.state, m.closed, m.last, m.row = circuitbreaker.Closed, time.Now(), nil, 0
		}
		return
	}
	m.last = append(m.last, failed)
	if len(m.last) > m.cfg.WindowCalls {
		m.last = m.last[1:]
	}
	if m.row++; !failed {
		m.row = 0
		return
	}
	failures := 0
	for _, f := range m.last {
		if f {
			failures++
		}
	}
	enough := len(m.last) >= m.cfg.MinCalls && float64(failures)/float64(len(m.last)) >= m.cfg.FailureRate
	if enough || m.row >= m.cfg.ConsecutiveFailures {
		if time.Since(m.closed) >= m.cfg.MaxOpenFor {
			m.streak = 0
		}
		m.open()
	}
}

func (m *model) open() {
	m.streak++
	wait := m.cfg.OpenFor
	for range m.streak - 1 {
		wait = min(2*wait, m.cfg.MaxOpenFor)
	}
	m.state, m.until = circuitbreaker.Open, time.Now().Add(wait)
}

// step is a call, some time after the one before it.
type step struct {
	pause  time.Duration
	failed bool
}

func TestBehavesAsTheModelCallAfterCall(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		// All is drawn before the bubble: rapid stops a run with a panic.
		cfg := config(func(c *circuitbreaker.Config) {
			c.MinCalls = rapid.IntRange(1, 8).Draw(rt, "min_calls")
			c.WindowCalls = c.MinCalls + rapid.IntRange(0, 8).Draw(rt, "window_calls")
			c.ConsecutiveFailures = rapid.IntRange(1, 8).Draw(rt, "consecutive_failures")
			c.FailureRate = rapid.Float64Range(0.05, 1).Draw(rt, "failure_rate")
			c.ProbeSuccesses = rapid.IntRange(1, 3).Draw(rt, "probe_successes")
			c.OpenFor, c.MaxOpenFor = 5*time.Second, 35*time.Second
		})
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			pause := rapid.SampledFrom([]time.Duration{0, 0, 0, 1, 5, 40}).Draw(rt, "seconds")
			return step{pause * time.Second, rapid.Bool().Draw(rt, "failed")}
		}), 1, 150).Draw(rt, "steps")
		var err error
		synctest.Test(t, func(t *testing.T) { err = compare(t, cfg, steps) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// compare makes the calls and gives the first difference to the model.
func compare(t *testing.T, cfg circuitbreaker.Config, steps []step) error {
	r := newRig(t, func(c *circuitbreaker.Config) { *c = cfg })
	m := &model{cfg: cfg, closed: time.Now()}
	for i, step := range steps {
		time.Sleep(step.pause)
		r.answer = status(http.StatusOK)
		if step.failed {
			r.answer = fails
		}
		refused := m.refuses()
		err := r.call()
		var rejected *middleware.RejectedError
		switch {
		case errors.As(err, &rejected) != refused:
			return fmt.Errorf("call %d: %v, want refused: %t", i, err, refused)
		case refused && rejected.RetryAfter != time.Until(m.until):
			return fmt.Errorf("call %d: %v, want %v", i, err, time.Until(m.until))
		case !refused:
			m.settle(step.failed)
		}
		if got := r.stage.State(host); got != m.state {
			return fmt.Errorf("call %d: %v, want %v", i, got, m.state)
		}
	}
	return nil
}
