package semaphore

import (
	"slices"
	"strings"
	"time"
)

// KeyStats is a snapshot of the permits of one key.
type KeyStats struct {
	Key      string        `json:"key"`
	InUse    int           `json:"in_use"`
	Waiting  int           `json:"waiting"`
	Limit    int           `json:"limit"`
	Stated   int           `json:"stated"`   // the limit that the upstream itself told; 0 if none
	Reserve  time.Duration `json:"reserve"`  // that a request must have left when it gets its permit
	Latency  time.Duration `json:"latency"`  // what answers take without a queue upstream; 0 if not known
	Admitted uint64        `json:"admitted"` // permits given
	Queued   uint64        `json:"queued"`   // requests that had to wait
	Refused  uint64        `json:"refused"`
	Drops    uint64        `json:"drops"` // answers that said that it was too much
}

// Stats is a snapshot, a line for each key, sorted by them.
func (s *Semaphore) Stats() []KeyStats {
	cfg := s.settings.Load()
	var all []KeyStats
	s.gates.Range(func(key string, g *gate) {
		k := KeyStats{
			Key: key, InUse: int(g.inUse.Load() - g.held.Load()), Waiting: int(g.waiting.Load()), Limit: int(g.limit(cfg)),
			Reserve: g.reserve(cfg), Admitted: g.admitted.Load(), Queued: g.queued.Load(), Refused: g.refused.Load(), Drops: g.drops.Load(),
		}
		k.Latency, k.Stated = g.adaptive.snapshot()
		all = append(all, k)
	})
	slices.SortFunc(all, func(a, b KeyStats) int { return strings.Compare(a.Key, b.Key) })
	return all
}
