package redis

// Stats is a snapshot of what this process has read. The counts are not read at one instant.
type Stats struct {
	Hits    uint64 `json:"hits"`    // reads that found a value
	Misses  uint64 `json:"misses"`  // reads that did not, for whatever reason but an error
	Damaged uint64 `json:"damaged"` // of them, those of values that were no entry of this version for this key
}

// Stats does no I/O.
func (s *Store) Stats() Stats {
	return Stats{Hits: s.stats.hits.Load(), Misses: s.stats.misses.Load(), Damaged: s.stats.damaged.Load()}
}

// Report is Stats, for a pipeline's own report.
func (s *Store) Report() any { return s.Stats() }
