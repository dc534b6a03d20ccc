package circuitbreaker

import (
	"cmp"
	"slices"
	"time"
)

// KeyStats is a snapshot of one breaker.
type KeyStats struct {
	Key   string `json:"key"`
	State State  `json:"state"`
	// Since is when it entered the state.
	Since time.Time `json:"since"`
	// RetryAfter is the time until a probe may go, for an open breaker. It stays
	// open, with 0, until a request comes.
	RetryAfter time.Duration `json:"retry_after"`
	// Calls, Failures and Slow are those in the window, of a closed breaker.
	Calls    int64 `json:"calls"`
	Failures int64 `json:"failures"`
	Slow     int64 `json:"slow"`
	// Consecutive is the number of failures in a row, of a closed breaker.
	Consecutive int64 `json:"consecutive"`
	// Openings and Rejected are how often it opened and how many requests it
	// refused since it was made.
	Openings uint64 `json:"openings"`
	Rejected uint64 `json:"rejected"`
}

// State gives the state of the breaker of key; Closed if there is none.
func (s *CircuitBreaker) State(key string) State {
	if b := s.find(key); b != nil {
		return b.phase.Load().state
	}
	return Closed
}

// Stats is a snapshot of the breakers that are remembered, by key. The one that
// keys beyond max_keys share has the key "".
func (s *CircuitBreaker) Stats() []KeyStats {
	var all []KeyStats
	s.breakers.Range(func(_ string, b *breaker) { all = append(all, b.stats()) })
	slices.SortFunc(all, func(a, b KeyStats) int { return cmp.Compare(a.Key, b.Key) })
	return all
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

func (b *breaker) stats() KeyStats {
	set, now := b.stage.settings.Load(), b.stage.now()
	b.mu.Lock()
	p, openings := b.phase.Load(), b.openings
	b.mu.Unlock()
	r := KeyStats{Key: b.key, State: p.state, Since: b.stage.epoch.Add(p.since), Openings: openings, Rejected: b.rejected.Load()}
	if p.state == Open {
		r.RetryAfter = max(0, p.until-now)
	}
	if p.window != nil {
		t := p.window.totals(now, set.Window)
		r.Calls, r.Failures, r.Slow, r.Consecutive = t.calls, t.failures, t.slow, p.consecutive.Load()
	}
	return r
}
