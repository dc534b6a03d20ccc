package circuitbreaker

import (
	"cmp"
	"slices"
	"time"
)

// Report is what the stage knows at a moment.
type Report struct {
	// Keys are the breakers that are remembered, by key. The one that keys beyond
	// MaxKeys share has the key "".
	Keys []KeyReport
}

// KeyReport is one breaker.
type KeyReport struct {
	Key   string
	State State
	// Since is when it entered the state.
	Since time.Time
	// RetryAfter is the time until a probe may go, for an open breaker. It stays
	// open, with 0, until a request comes.
	RetryAfter time.Duration
	// Calls, Failures and Slow are those in the window, of a closed breaker.
	Calls, Failures, Slow int64
	// Consecutive is the number of failures in a row, of a closed breaker.
	Consecutive int64
	// Openings and Rejected are how often it opened and how many requests it
	// refused since it was made.
	Openings, Rejected uint64
}

// State gives the state of the breaker of key; Closed if there is none.
func (s *CircuitBreaker) State(key string) State {
	if b := s.find(key); b != nil {
		return b.phase.Load().state
	}
	return Closed
}

// Report tells of every breaker.
func (s *CircuitBreaker) Report() Report {
	var r Report
	s.breakers.Range(func(_ string, b *breaker) { r.Keys = append(r.Keys, b.report()) })
	slices.SortFunc(r.Keys, func(a, b KeyReport) int { return cmp.Compare(a.Key, b.Key) })
	return r
}

// find gives the breaker of key without making one; nil if there is none.
func (s *CircuitBreaker) find(key string) (found *breaker) {
	s.breakers.Range(func(k string, b *breaker) {
		if k == key && found == nil {
			found = b
		}
	})
	return found
}

func (b *breaker) report() KeyReport {
	set, now := b.stage.settings.Load(), b.stage.now()
	b.mu.Lock()
	p, openings := b.phase.Load(), b.openings
	b.mu.Unlock()
	r := KeyReport{Key: b.key, State: p.state, Since: b.stage.epoch.Add(p.since), Openings: openings, Rejected: b.rejected.Load()}
	if p.state == Open {
		r.RetryAfter = max(0, p.until-now)
	}
	if p.window != nil {
		t := p.window.totals(now, set.Window)
		r.Calls, r.Failures, r.Slow, r.Consecutive = t.calls, t.failures, t.slow, p.consecutive.Load()
	}
	return r
}
