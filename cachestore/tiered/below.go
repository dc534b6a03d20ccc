package tiered

import "math/rand/v2"

// lookBelow is how many hits come to one for which the tiers below are asked too.
const lookBelow = 64

// touch has the tiers below a hit read the key too, for one hit of lookBelow and beside the request: they evict what was
// used least recently, and what is read most would else be the first to go, because they never see it read.
func (s *Store) touch(key string, below []*tier) {
	if len(below) == 0 || rand.Uint32N(lookBelow) != 0 || !s.touching.CompareAndSwap(false, true) {
		return
	}
	touch := func() {
		defer s.touching.Store(false)
		for _, t := range below {
			_, _, _ = t.get(s.tasks.ctx, key) // the tier sees to what failed
		}
	}
	if !s.tasks.run(touch) {
		s.touching.Store(false)
	}
}
