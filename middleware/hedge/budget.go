package hedge

import (
	"sync"
	"sync/atomic"
	"time"
)

// parts is the number of parts that the window of a budget slides by.
const parts = 10

// budget counts the requests that could be hedged, and their copies, over a
// window. Counting a request takes no lock.
type budget struct {
	slices [parts]slice
	mu     sync.Mutex // for taking, and for a slice that begins anew
}

type slice struct {
	// period numbers the tenth of a window that the slice counts, from 1 on.
	period           atomic.Int64
	requests, copies atomic.Int64
}

func period(now, window time.Duration) int64 { return int64(now/(window/parts)) + 1 }

// at gives the slice of a period. What is counted a whole window late is
// counted in the wrong place, which does not matter.
func (b *budget) at(p int64) *slice {
	s := &b.slices[p%parts]
	if s.period.Load() != p {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.begin(s, p)
	}
	return s
}

// begin makes s the slice of the period. b.mu is held.
func (b *budget) begin(s *slice, p int64) {
	if s.period.Load() != p {
		s.requests.Store(0)
		s.copies.Store(0)
		s.period.Store(p)
	}
}

// request counts a request that may be hedged.
func (b *budget) request(now, window time.Duration) {
	b.at(period(now, window)).requests.Add(1)
}

// take takes a copy out of the budget, unless it is spent.
func (b *budget) take(now time.Duration, cfg *Config) bool {
	p := period(now, cfg.BudgetWindow)
	b.mu.Lock()
	defer b.mu.Unlock()
	requests, copies := b.totals(p)
	if float64(copies+1) > max(float64(cfg.BudgetFloor), cfg.Budget*float64(requests)) {
		return false
	}
	s := &b.slices[p%parts]
	b.begin(s, p)
	s.copies.Add(1)
	return true
}

// giveBack returns what a copy took that never went upstream.
func (b *budget) giveBack(now, window time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := period(now, window)
	// Where it was taken does not matter much; below zero would be a loan.
	for i := range int64(parts) {
		if s := &b.slices[(p+parts-i)%parts]; s.period.Load() == p-i && s.copies.Load() > 0 {
			s.copies.Add(-1)
			return
		}
	}
}

// totals are those of the window that ends with the period.
func (b *budget) totals(p int64) (requests, copies int64) {
	for i := range b.slices {
		if s := &b.slices[i]; s.period.Load() > p-parts && s.period.Load() <= p {
			requests += s.requests.Load()
			copies += s.copies.Load()
		}
	}
	return requests, copies
}
