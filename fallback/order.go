package fallback

import (
	"math/rand/v2"
	"slices"
)

// order is the answers in the order in which a call tries them: those with a
// weight change places among each other.
func (s *settings) order() []*answer {
	if s.weights < 2 {
		return s.answers
	}
	all := slices.Clone(s.answers)
	for i, a := range all {
		if a.weight == 0 {
			continue
		}
		sum := 0
		for _, b := range all[i:] {
			sum += b.weight
		}
		draw := rand.IntN(sum)
		for j := i; ; j++ {
			if draw -= all[j].weight; draw < 0 {
				all[i], all[j] = all[j], all[i]
				break
			}
		}
	}
	return all
}
