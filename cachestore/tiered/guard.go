package tiered

import (
	"hash/maphash"
	"sync"
)

// guard keeps a value that was read from a lower tier from being copied upwards after it was replaced or deleted. Keys
// share stripes: a copy too few costs nothing but the next read.
type guard struct {
	seed    maphash.Seed
	stripes [64]stripe
}

type stripe struct {
	mu      sync.Mutex
	writers int    // writes and deletes that are under way
	version uint64 // how many have ended
}

// busy is no version.
const busy = ^uint64(0)

func newGuard() *guard { return &guard{seed: maphash.MakeSeed()} }

func (g *guard) stripe(key string) *stripe {
	return &g.stripes[maphash.String(g.seed, key)%uint64(len(g.stripes))]
}

// note is taken before a read, for fill.
func (s *stripe) note() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers > 0 {
		return busy
	}
	return s.version
}

// fill runs do unless something was written since note. What wants to write meanwhile waits for do.
func (s *stripe) fill(noted uint64, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writers == 0 && noted == s.version {
		do()
	}
}

// write runs do as a write of the stripe.
func (s *stripe) write(do func()) {
	s.mu.Lock()
	s.writers++
	s.mu.Unlock()
	do()
	s.mu.Lock()
	s.writers--
	s.version++
	s.mu.Unlock()
}

// writeAll runs do as a write of all keys.
func (g *guard) writeAll(do func()) {
	for i := range g.stripes {
		next := do
		do = func() { g.stripes[i].write(next) }
	}
	do()
}
