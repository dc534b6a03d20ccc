// Package quantile keeps a running quantile of durations.
package quantile

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	size    = 128 // samples that count
	refresh = 16  // samples between two computations
	fall    = 16  // computations until most of a fall is followed
)

// Window is a quantile over the last samples. It follows a rise within some
// dozens of samples, but a fall only by and by, over some hundreds: what was slow
// once a moment ago is likely to be so again, more often than the last samples
// alone can tell. Value is a single atomic load. It is safe for concurrent use.
type Window struct {
	q     float64
	value atomic.Int64

	mu      sync.Mutex
	samples [size]time.Duration
	sorted  [size]time.Duration
	n       int
}

// New makes a window for the quantile q, 0.95 for example.
func New(q float64) *Window { return &Window{q: q} }

// Value is the quantile as of the last computation; 0 before the first 16 samples.
func (w *Window) Value() time.Duration { return time.Duration(w.value.Load()) }

// Add adds a sample.
func (w *Window) Add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.samples[w.n%size] = d
	w.n++
	if w.n%refresh == 0 {
		s := w.sorted[:min(w.n, size)]
		copy(s, w.samples[:])
		slices.Sort(s)
		v, before := s[int(w.q*float64(len(s)-1)+0.5)], w.Value()
		if v < before {
			v += (before - v) * (fall - 1) / fall
		}
		w.value.Store(int64(v))
	}
}
