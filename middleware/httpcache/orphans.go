package httpcache

import "math"

// An orphan is a flight that everybody has left while it was on its way: the
// context of its request has ended, and it is about to come back. Stop waits for
// it. A flight's goroutines count in steps of 2, so that 1 is free to note that.
const (
	orphaned  = 1
	goroutine = 2
)

// back is the end of one of the flight's goroutines.
func (f *flight) back() {
	if f.busy.Add(-goroutine) == orphaned {
		f.lookup.cache.orphans.Leave()
	}
}

// abandon notes that nobody is left to wait for the flight's goroutines.
func (f *flight) abandon() {
	if f.busy.Load() == 0 {
		return
	}
	o := &f.lookup.cache.orphans
	o.Join(math.MaxInt)
	for n := f.busy.Load(); n > 0; n = f.busy.Load() {
		if f.busy.CompareAndSwap(n, n|orphaned) {
			return
		}
	}
	o.Leave()
}
