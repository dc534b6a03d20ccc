package circuitbreaker

// ForceOpen has the breaker of key refuse every request until Auto, before a
// planned outage for example. It is false, and nothing is done, if there is no
// room for another key. A forced breaker is never forgotten.
func (s *CircuitBreaker) ForceOpen(key string) bool { return s.force(key, ForcedOpen) }

// ForceClosed has the breaker of key let every request through until Auto. It
// goes on counting. The result is as ForceOpen's.
func (s *CircuitBreaker) ForceClosed(key string) bool { return s.force(key, ForcedClosed) }

// Auto ends ForceOpen and ForceClosed: the breaker of key is closed and begins
// anew. It is false, and nothing is done, if the breaker was not forced.
func (s *CircuitBreaker) Auto(key string) bool { return s.force(key, Closed) }

func (s *CircuitBreaker) force(key string, state State) bool {
	var b *breaker
	if state == Closed {
		b = s.find(key)
	} else {
		b = s.breakers.Get(key)
	}
	if b == nil || b.key != key || !b.enter(state) {
		return false
	}
	b.forced(state)
	return true
}

// enter puts the breaker into a forced state, or from one into Closed.
func (b *breaker) enter(state State) bool {
	set, now := b.stage.settings.Load(), b.stage.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.phase.Load()
	switch {
	case state == Closed && p.state != ForcedOpen && p.state != ForcedClosed:
		return false
	case state == ForcedOpen:
		b.move(&phase{state: state, since: now})
	default:
		b.move(b.closedPhase(state, now, set))
	}
	b.streak = 0
	return true
}
