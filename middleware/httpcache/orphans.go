package httpcache

import (
	"context"
	"sync"
)

// orphans are the flights that everybody has left while they were on their way:
// the contexts of their requests have ended, and they are about to come back.
type orphans struct {
	mu   sync.Mutex
	on   int
	gone chan struct{} // closed when there is none any more, if somebody waits
}

func (o *orphans) add() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.on++
}

func (o *orphans) done() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.on--; o.on == 0 && o.gone != nil {
		close(o.gone)
		o.gone = nil
	}
}

// wait waits until there is none; the error is that of ctx, if it ends first.
func (o *orphans) wait(ctx context.Context) error {
	o.mu.Lock()
	if o.on > 0 && o.gone == nil {
		o.gone = make(chan struct{})
	}
	gone := o.gone
	o.mu.Unlock()
	if gone == nil {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A flight's goroutines count in steps of 2, so that 1 is free for this.
const (
	orphaned  = 1
	goroutine = 2
)

// back is the end of one of the flight's goroutines.
func (f *flight) back() {
	if f.busy.Add(-goroutine) == orphaned {
		f.lookup.cache.orphans.done()
	}
}

// abandon notes that nobody is left to wait for the flight's goroutines.
func (f *flight) abandon() {
	if f.busy.Load() == 0 {
		return
	}
	o := &f.lookup.cache.orphans
	o.add()
	for n := f.busy.Load(); n > 0; n = f.busy.Load() {
		if f.busy.CompareAndSwap(n, n|orphaned) {
			return
		}
	}
	o.done()
}
