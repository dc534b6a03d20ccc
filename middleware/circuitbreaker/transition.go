package circuitbreaker

import (
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// opening is why a breaker opened.
type opening struct {
	cause string
	seen  totals
	row   int64 // consecutive failures
}

// move begins a phase. b.mu is held.
func (b *breaker) move(p *phase) *phase {
	p.generation = b.phase.Load().generation + 1
	b.phase.Store(p)
	return p
}

// open opens the breaker, unless somebody else has ended phase p already. hint
// is how long the upstream asks to stay away, if at all.
func (b *breaker) open(p *phase, now, hint time.Duration, why opening, set *settings, end middleware.End) {
	b.mu.Lock()
	if b.phase.Load() != p {
		b.mu.Unlock()
		return
	}
	if p.state == Closed && now-p.since >= set.MaxOpenFor {
		b.streak = 0
	}
	b.streak++
	b.openings++
	wait := set.openTime(b.streak, hint)
	b.move(&phase{state: Open, since: now, until: now + wait})
	b.mu.Unlock()
	b.opened(wait, why, end)
}

// renew gives a closed phase a window of another kind and keeps the rest. The
// generation stays: the calls under way still count. It gives nil if the phase
// is over.
func (b *breaker) renew(p *phase, now time.Duration, set *settings) *phase {
	b.mu.Lock()
	defer b.mu.Unlock()
	current := b.phase.Load()
	switch {
	case current.generation != p.generation:
		return nil
	case current != p:
		return current // somebody was faster
	}
	fresh := b.closedPhase(p.state, now, set)
	fresh.since, fresh.generation = p.since, p.generation
	fresh.consecutive.Store(p.consecutive.Load())
	fresh.lastBad.Store(p.lastBad.Load())
	fresh.hint.Store(p.hint.Load())
	b.phase.Store(fresh)
	return fresh
}
