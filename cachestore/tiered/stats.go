package tiered

// Stats is a snapshot. Counts are since the store was made.
type Stats struct {
	Misses uint64      `json:"misses"` // reads that no tier had a value for
	Tiers  []TierStats `json:"tiers"`  // the fastest first
}

// TierStats is what became of the operations on one tier.
type TierStats struct {
	Name     string `json:"name"`
	Hits     uint64 `json:"hits"`     // reads that it answered
	Failures uint64 `json:"failures"` // operations that it did not do, or not in time
	Skipped  uint64 `json:"skipped"`  // operations that it was not asked for, because it was down
	Down     bool   `json:"down"`     // it is skipped now
	Owed     int    `json:"owed"`     // keys and tags to delete before it is used again; -1: everything
}

// Stats does no I/O.
func (s *Store) Stats() Stats {
	stats := Stats{Misses: s.misses.Load()}
	for _, t := range s.tiers {
		stats.Tiers = append(stats.Tiers, t.snapshot())
	}
	return stats
}

func (t *tier) hit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Hits++
}

func (t *tier) snapshot() TierStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	stats := t.stats
	stats.Name, stats.Down, stats.Owed = t.name, t.down, len(t.owed.keys)+len(t.owed.tags)
	if t.owed.all {
		stats.Owed = -1
	}
	return stats
}

// Report is Stats, for a pipeline's own report.
func (s *Store) Report() any { return s.Stats() }
