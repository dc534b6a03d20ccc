package circuitbreaker

import (
	"sync"
	"sync/atomic"
	"time"
)

// steps is in how many steps a window of time slides.
const steps = 10

// timeWindow counts the calls of the last so many seconds. Its counters only
// ever grow. At each step it notes how far they had come, and what happened in
// the window is the difference to the note from when it began: so nothing has
// to be reset while others count.
type timeWindow struct {
	stripes  *stripes
	counters []counter
	next     atomic.Int64           // when this step is over
	base     atomic.Pointer[totals] // what had been counted when the window began

	mu    sync.Mutex
	marks [steps]mark // a ring; the beginnings of the latest steps in which a call ended
	last  int
}

// counter has a cache line for itself.
type counter struct {
	calls, failures, slow atomic.Int64
	_                     [40]byte
}

// mark is the beginning of a step and what had been counted by then.
type mark struct {
	begin time.Duration
	totals
}

func newTimeWindow(now, length time.Duration, s *stripes) *timeWindow {
	w := &timeWindow{stripes: s, counters: make([]counter, s.n)}
	for i := range w.marks {
		w.marks[i].begin = never
	}
	w.marks[0].begin = now
	w.next.Store(int64(now + length/steps))
	w.base.Store(&totals{})
	return w
}

func (w *timeWindow) add(now, length time.Duration, failed, slow bool) {
	w.slide(now, length)
	c := &w.counters[w.stripes.here()]
	c.calls.Add(1)
	if failed {
		c.failures.Add(1)
	}
	if slow {
		c.slow.Add(1)
	}
}

func (w *timeWindow) totals(now, length time.Duration) totals {
	w.slide(now, length)
	return w.sum().minus(*w.base.Load())
}

func (w *timeWindow) sum() (t totals) {
	for i := range w.counters {
		c := &w.counters[i]
		t.failures += c.failures.Load()
		t.slow += c.slow.Load()
		t.calls += c.calls.Load()
	}
	return t
}

// slide begins a new step when the old one is over. Nobody waits for another to do it.
func (w *timeWindow) slide(now, length time.Duration) {
	if int64(now) < w.next.Load() || !w.mu.TryLock() {
		return
	}
	defer w.mu.Unlock()
	if int64(now) < w.next.Load() {
		return
	}
	step := length / steps
	begin := w.marks[w.last].begin
	begin += (now - begin) / step * step
	w.last = (w.last + 1) % steps
	w.marks[w.last] = mark{begin, w.sum()}

	// The window holds this step and the nine before it, as far as there were calls.
	first := w.marks[w.last]
	for _, m := range w.marks {
		if m.begin > begin-length && m.begin < first.begin {
			first = m
		}
	}
	w.base.Store(&first.totals)
	w.next.Store(int64(begin + step))
}
