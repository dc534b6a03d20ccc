package disk

// Stats is a snapshot. Counts are those of this process since the store was made, and are not read at one instant.
type Stats struct {
	Hits        uint64 `json:"hits"`        // reads that found a value
	Misses      uint64 `json:"misses"`      // reads that did not, for whatever reason but an error
	Damaged     uint64 `json:"damaged"`     // of them, those of files that were torn, damaged, foreign or of another version
	Evicted     uint64 `json:"evicted"`     // entries that left because their room was needed
	Temporaries uint64 `json:"temporaries"` // files of dead writers that were removed
	Entries     int    `json:"entries"`     // files when the folder was looked through last
	Bytes       int64  `json:"bytes"`       // what they were charged, and at most what has been written since
	MaxBytes    int64  `json:"max_bytes"`   // the bound
}

// Stats does no I/O.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Hits:        s.stats.hits.Load(),
		Misses:      s.stats.misses.Load(),
		Damaged:     s.stats.damaged.Load(),
		Evicted:     s.stats.evicted.Load(),
		Temporaries: s.stats.temporaries.Load(),
		Entries:     s.entries,
		Bytes:       s.held + s.written,
		MaxBytes:    s.maxBytes,
	}
}

// Report is Stats, for a pipeline's own report.
func (s *Store) Report() any { return s.Stats() }
