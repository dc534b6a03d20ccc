package circuitbreaker

import (
	"sync/atomic"
	"time"
)

// countWindow counts the last so many calls.
type countWindow struct {
	head           atomic.Uint64
	failures, slow atomic.Int64
	calls          []atomic.Uint32 // a ring of callFailed and callSlow
}

const (
	callFailed = 1 << iota
	callSlow
)

func newCountWindow(n int) *countWindow { return &countWindow{calls: make([]atomic.Uint32, n)} }

func (w *countWindow) add(_, _ time.Duration, failed, slow bool) {
	var call uint32
	if failed {
		call |= callFailed
	}
	if slow {
		call |= callSlow
	}
	i := (w.head.Add(1) - 1) % uint64(len(w.calls))
	old := w.calls[i].Swap(call)
	if old == call {
		return
	}
	w.failures.Add(int64(call&callFailed) - int64(old&callFailed))
	w.slow.Add(int64(call&callSlow)/callSlow - int64(old&callSlow)/callSlow)
}

func (w *countWindow) totals(_, _ time.Duration) totals {
	return totals{
		calls:    int64(min(w.head.Load(), uint64(len(w.calls)))),
		failures: w.failures.Load(),
		slow:     w.slow.Load(),
	}
}
