package circuitbreaker

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// breaker is the state of one key. It settles the exchanges of the calls that
// it admitted.
type breaker struct {
	stage *CircuitBreaker
	key   string
	// Replaced as a whole, so that a closed breaker needs no lock.
	phase    atomic.Pointer[phase]
	rejected atomic.Uint64

	mu       sync.Mutex // for every change of phase, and for the leases
	openings uint64
	streak   int // openings in a row, without a closed phase of max_open_for between them
}

func (s *CircuitBreaker) newBreaker(key string) *breaker {
	b := &breaker{stage: s, key: key}
	b.phase.Store(b.closedPhase(Closed, s.now(), s.settings.Load()))
	return b
}

func (b *breaker) closedPhase(state State, now time.Duration, set *settings) *phase {
	p := &phase{state: state, since: now, windowCalls: set.WindowCalls}
	p.lastBad.Store(never)
	p.hint.Store(never)
	if set.WindowCalls > 0 {
		p.window = newCountWindow(set.WindowCalls)
	} else {
		p.window = newTimeWindow(now, set.Window, &b.stage.stripes)
	}
	return p
}

// admit lets a request through, with the token that its end is settled with, or
// gives the time to wait until it makes sense to ask again.
func (b *breaker) admit(req *http.Request, set *settings) (token uint64, wait time.Duration, ok bool) {
	p := b.phase.Load()
	switch p.state {
	case Closed, ForcedClosed:
		return p.token(0), 0, true
	case ForcedOpen:
		return 0, 0, false
	}
	now := b.stage.now()
	if p.state == Open && now < p.until {
		return 0, p.until - now, false
	}
	return b.probe(req, set, now)
}

// probe leases a place among the probes, after it made the breaker half-open if
// it still was open.
func (b *breaker) probe(req *http.Request, set *settings, now time.Duration) (token uint64, wait time.Duration, ok bool) {
	b.mu.Lock()
	p := b.phase.Load()
	if p.state == Open && p.until <= now {
		p = b.move(&phase{state: HalfOpen, since: now})
		defer b.halfOpened(req)
	}
	defer b.mu.Unlock()
	switch p.state {
	case HalfOpen:
		id, wait := p.leases.take(now, set.ProbeLease, set.Probes)
		return p.token(id), wait, id != 0
	case Open:
		return 0, p.until - now, false
	case ForcedOpen:
		return 0, 0, false
	default: // closed in the meantime
		return p.token(0), 0, true
	}
}

// Settle counts what a call came to. Part of middleware.Settler.
func (b *breaker) Settle(token uint64, end middleware.End) {
	p := b.phase.Load()
	if uint32(token>>32) != p.generation {
		return // from an earlier state
	}
	set := b.stage.settings.Load()
	verdict := verdictOf(end.Outcome)
	failed, slow := set.failed(verdict), token&slowToken != 0
	switch {
	case leaseOf(token) != 0:
		b.probed(p, leaseOf(token), verdict == middleware.Neutral, failed || slow, set, end)
	case verdict != middleware.Neutral:
		b.count(p, failed, slow, set, end)
	}
}

// count takes a call into a closed breaker's window, and opens it if that was
// one failure too many. The rates are looked at when a call was bad: a good one
// is no reason to open.
func (b *breaker) count(p *phase, failed, slow bool, set *settings, end middleware.End) {
	now := b.stage.now()
	if p.windowCalls != set.WindowCalls {
		if p = b.renew(p, now, set); p == nil {
			return
		}
	}
	p.window.add(now, set.Window, failed, slow)
	row := int64(0)
	if failed {
		row = p.consecutive.Add(1)
		p.hold(later(now, hint(end.Outcome)))
	} else if p.consecutive.Load() != 0 {
		// A success disproves what the failures before it asked for.
		p.consecutive.Store(0)
		p.hint.Store(never)
	}
	if !failed && !slow {
		return
	}
	p.lastBad.Store(int64(now))
	if p.state != Closed {
		return
	}
	seen := p.window.totals(now, set.Window)
	cause := set.tripped(seen)
	if set.ConsecutiveFailures > 0 && row >= int64(set.ConsecutiveFailures) {
		cause = causeConsecutive
	}
	if cause != "" {
		b.open(p, now, time.Duration(p.hint.Load())-now, opening{cause, seen, row}, set, end)
	}
}

// probed takes the result of a probe.
func (b *breaker) probed(p *phase, id uint32, neutral, bad bool, set *settings, end middleware.End) {
	now := b.stage.now()
	b.mu.Lock()
	if b.phase.Load() != p || !p.leases.giveBack(id) || neutral {
		b.mu.Unlock()
		return
	}
	if bad {
		b.mu.Unlock()
		b.open(p, now, hint(end.Outcome), opening{cause: causeProbe}, set, end)
		return
	}
	p.successes++
	enough := p.successes >= set.ProbeSuccesses
	if enough {
		b.move(b.closedPhase(Closed, now, set))
	}
	b.mu.Unlock()
	if enough {
		b.closed(end)
	}
}

// hint is how long the upstream asks to stay away, 0 if it does not.
func hint(o middleware.Outcome) time.Duration {
	if o.Hinted {
		return o.RetryAfter
	}
	return 0
}

// later adds without overflow: an upstream may ask for any time.
func later(now, d time.Duration) time.Duration {
	if sum := now + d; sum >= now {
		return sum
	}
	return 1<<63 - 1
}

// idle tells whether the breaker can be forgotten: it has nothing to remember,
// or nobody has asked for so long that it no longer matters.
func (b *breaker) idle() bool {
	set, now := b.stage.settings.Load(), b.stage.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	switch p := b.phase.Load(); p.state {
	case Closed:
		recent := b.streak > 0 && now-p.since < set.MaxOpenFor
		return !recent && now-time.Duration(p.lastBad.Load()) > set.memory()
	case Open:
		return now-p.until > set.memory()
	case HalfOpen:
		return now-p.since > set.memory() && !p.leases.live(now)
	}
	return false
}

// verdictOf is what an outcome counts as. A caller's deadline says how long that
// caller waits, and not how long an answer may take: under overload, when
// requests have waited in a queue below, many pass it by an instant. A timeout
// stage says what the upstream owes.
func verdictOf(o middleware.Outcome) middleware.Verdict {
	if o.Reason == middleware.ReasonDeadline {
		return middleware.Neutral
	}
	return o.Verdict
}
