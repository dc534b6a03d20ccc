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
)

// Window is a quantile over the last samples. It follows a change within some
// dozens of samples and remembers nothing older. Value is a single atomic
// load. It is safe for concurrent use.
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
		w.value.Store(int64(s[int(w.q*float64(len(s)-1)+0.5)]))
	}
}
