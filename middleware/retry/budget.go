package retry

import (
	"sync"
	"sync/atomic"
	"time"
)

// slots is the number of periods in a budget's window.
const slots = 10

// budget bounds the retries that share a key to a share of the calls, as
// Finagle's RetryBudget does: unlike the token bucket of the AWS SDKs it needs
// no success to recover, because what it counts leaves the window by itself. A
// call costs one atomic addition; the clock is read and the lock taken only
// where there is a retry to think of.
type budget struct {
	pending atomic.Int64 // calls since the last look

	mu      sync.Mutex
	start   time.Time
	step    time.Duration // a period
	period  int64         // of the last look
	calls   [slots]float64
	retries [slots]int // that were made or are about to be, without those that did no harm
}

// ticket is a retry that was counted. It can be given back once.
type ticket struct {
	budget *budget
	period int64
}

func newBudget(window time.Duration) *budget {
	return &budget{start: time.Now(), step: window / slots}
}

// call counts a call, and takes it back when nothing of it went upstream.
func (b *budget) call()   { b.pending.Add(1) }
func (b *budget) uncall() { b.pending.Add(-1) }

// take counts a retry if the budget allows it.
func (b *budget) take(cfg *BudgetConfig) (t ticket, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.look(cfg).Left <= 0 {
		return ticket{}, false
	}
	return b.count(), true
}

// charge counts a retry that is made anyway.
func (b *budget) charge(cfg *BudgetConfig) ticket {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.look(cfg)
	return b.count()
}

func (b *budget) count() ticket {
	b.retries[b.period%slots]++
	return ticket{b, b.period}
}

// giveBack takes the count back, unless it has left the window by itself.
func (t *ticket) giveBack() {
	b := t.budget
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.period-t.period < slots {
		b.retries[t.period%slots]--
	}
	*t = ticket{}
}

// stats is what the budget is like now.
func (b *budget) stats(cfg *BudgetConfig) BudgetStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.look(cfg)
}

// idle tells whether nothing within the window is left to remember.
func (b *budget) idle() bool {
	s := b.stats(&BudgetConfig{})
	return s.Calls == 0 && s.Retries == 0
}

// look moves the window on to now and sums it up. b.mu is held.
func (b *budget) look(cfg *BudgetConfig) BudgetStats {
	now := max(b.period, int64(time.Since(b.start)/b.step))
	passed := now - b.period
	for i := range min(passed, slots) {
		b.calls[(now-i)%slots], b.retries[(now-i)%slots] = 0, 0
	}
	// Nobody knows when the pending calls were: they are spread evenly over the
	// time since the last look, which is short while there are failures.
	each := float64(b.pending.Swap(0)) / float64(passed+1)
	for i := range min(passed+1, slots) {
		b.calls[(now-i)%slots] += each
	}
	b.period = now

	var calls float64
	var s BudgetStats
	for i := range slots {
		calls += b.calls[i]
		s.Retries += b.retries[i]
	}
	s.Calls = int(calls + rounding)
	s.Left = cfg.allowed(calls) - s.Retries
	return s
}

// rounding keeps a sum of fractions that is just short of a whole number from losing it.
const rounding = 1e-6
