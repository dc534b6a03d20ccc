package disk

import (
	"context"
	"os"
	"time"
)

const TemporaryAge = temporaryAge

// Path is where the entry of key is.
func (s *Store) Path(key string) string { return s.path(key) }

// SetWrite replaces what writes a file.
func (s *Store) SetWrite(write func(f *os.File, data []byte) error) { s.write = write }

// Sweep looks through the folder now.
func (s *Store) Sweep(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.sweep != nil { // it may have begun too early
		_ = s.wait(ctx, s.sweep)
	}
	s.beginSweep()
	return s.wait(ctx, s.sweep)
}

// Age makes a file look as if it was last used then.
func Age(path string, ago time.Duration) error {
	then := time.Now().Add(-ago)
	return os.Chtimes(path, then, then)
}
