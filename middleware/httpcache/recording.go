package httpcache

import (
	"sync"
	"sync/atomic"
)

// recording is what one body that is on its way holds of the memory that all of
// them may hold together.
type recording struct {
	sum *atomic.Int64
	max int64

	mu   sync.Mutex
	held int64
	done bool
}

// resize asks for n bytes in all. It is refused when that is more than is left, or when the recording is over.
func (r *recording) resize(n int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return false
	}
	delta := n - r.held
	if r.sum.Add(delta) > r.max && delta > 0 {
		r.sum.Add(-delta)
		return false
	}
	r.held = n
	return true
}

// release gives everything back, for good.
func (r *recording) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Add(-r.held)
	r.held, r.done = 0, true
}
