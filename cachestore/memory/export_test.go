package memory

// Tags is how many tags the index knows.
func (s *Store) Tags() int {
	s.tags.mu.Lock()
	defer s.tags.mu.Unlock()
	return len(s.tags.byTag)
}
