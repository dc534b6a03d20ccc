// Package keyed holds a state for each key, such as a limit for each upstream,
// and bounds how many there are.
package keyed

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

// Map holds at most max states. When it is full, a new key takes the place of
// the idle one that was not used for the most insertions; while none is idle, keys beyond the bound
// share one state. It is safe for concurrent use; Get of a known key takes no
// lock and does not allocate.
type Map[S any] struct {
	max  int
	make func(key string) *S
	idle func(*S) bool

	last   atomic.Pointer[entry[S]] // most programs call one host: spares the hash
	states sync.Map                 // string -> *entry[S]
	clock  atomic.Int64             // counts insertions; what was used since the last one is recent

	mu       sync.Mutex // for insertions
	count    int
	overflow *S
}

type entry[S any] struct {
	key   string
	state *S
	used  atomic.Int64
	gone  atomic.Bool // evicted, though last may still point here
}

// New makes a map that holds at most max states. idle tells whether a state
// can be forgotten: nothing is in flight, nothing is remembered that matters.
func New[S any](max int, make func(key string) *S, idle func(*S) bool) *Map[S] {
	return &Map[S]{max: max, make: make, idle: idle}
}

// Get gives the state of key, a new one if there is none.
func (m *Map[S]) Get(key string) *S {
	e := m.last.Load()
	if e == nil || e.key != key || e.gone.Load() {
		v, ok := m.states.Load(key)
		if !ok {
			return m.insert(key)
		}
		e = v.(*entry[S])
		m.last.Store(e)
	}
	// Written once per insertion elsewhere, not once per call.
	if now := m.clock.Load(); e.used.Load() != now {
		e.used.Store(now)
	}
	return e.state
}

func (m *Map[S]) insert(key string) *S {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.states.Load(key); ok {
		return v.(*entry[S]).state
	}
	if m.count >= m.max && !m.evict() {
		if m.overflow == nil {
			m.overflow = m.make("")
		}
		return m.overflow
	}
	e := &entry[S]{key: key, state: m.make(key)}
	e.used.Store(m.clock.Add(1))
	m.states.Store(key, e)
	m.count++
	return e.state
}

// evict makes room by forgetting the least recently used idle states, an eighth
// of all at once, so that a stream of ever new keys does not look through the
// whole map for each of them.
func (m *Map[S]) evict() bool {
	var idle []*entry[S]
	m.states.Range(func(_, v any) bool {
		if e := v.(*entry[S]); m.idle(e.state) {
			idle = append(idle, e)
		}
		return true
	})
	slices.SortFunc(idle, func(a, b *entry[S]) int { return cmp.Compare(a.used.Load(), b.used.Load()) })
	for _, e := range idle[:min(len(idle), m.max/8+1)] {
		e.gone.Store(true)
		m.states.Delete(e.key)
		m.count--
	}
	return len(idle) > 0
}

// Range calls f for each key's state, the shared one under "" last, in no particular order.
func (m *Map[S]) Range(f func(key string, state *S)) {
	m.states.Range(func(_, v any) bool {
		e := v.(*entry[S])
		f(e.key, e.state)
		return true
	})
	m.mu.Lock()
	overflow := m.overflow
	m.mu.Unlock()
	if overflow != nil {
		f("", overflow)
	}
}
