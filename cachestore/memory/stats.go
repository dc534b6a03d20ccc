package memory

// Stats is a snapshot. Counts are since the store was made and are not read at one instant.
type Stats struct {
	Hits      uint64 // reads that found a value
	Misses    uint64 // reads that did not, because it was never there, was evicted or had expired
	Evictions uint64 // entries that left because their room was needed
	Entries   int    // entries held, those included that have expired and were not read since
	Bytes     int64  // what the entries are charged
	MaxBytes  int64  // the bound of Bytes
}

// Stats first applies what eviction has pending, so that Bytes is not above MaxBytes while nobody writes.
func (s *Store) Stats() Stats {
	s.cache.CleanUp()
	return Stats{
		Hits:      s.hits.value(),
		Misses:    s.misses.value(),
		Evictions: s.evictions.Load(),
		Entries:   s.cache.EstimatedSize(),
		Bytes:     int64(s.cache.WeightedSize()),
		MaxBytes:  int64(s.cache.GetMaximum()),
	}
}

// Len is the number of entries, those included that have expired and were not read since.
func (s *Store) Len() int { return s.cache.EstimatedSize() }

// Report is Stats, for a pipeline's own report.
func (s *Store) Report() any { return s.Stats() }
