package memory

import (
	"math"

	"github.com/headgate-go/headgate/middleware"
)

const minEntryBytes = 1 << 10

// Config is the settings of a [Store].
type Config struct {
	// MaxBytes bounds the sum of all entries, each with its key, tags and overhead. Bytes. Default 64MiB.
	MaxBytes middleware.Bytes `yaml:"max_bytes"`
	// MaxEntryBytes bounds one entry, counted the same way: larger ones are refused with ErrTooLarge, so that no
	// single answer empties the cache. Bytes, from 1KiB to max_bytes and less than 4GiB. Default 8MiB.
	MaxEntryBytes middleware.Bytes `yaml:"max_entry_bytes"`
}

// DefaultConfig is 64 MiB with at most 8 MiB an entry.
func DefaultConfig() Config {
	return Config{MaxBytes: 64 << 20, MaxEntryBytes: 8 << 20}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.MaxBytes >= minEntryBytes, "max_bytes", "%s: want at least 1KiB, such as 64MiB", c.MaxBytes)
	switch {
	case c.MaxEntryBytes < minEntryBytes:
		p.Check(false, "max_entry_bytes", "%s: want at least 1KiB, such as 8MiB", c.MaxEntryBytes)
	case c.MaxEntryBytes > math.MaxUint32:
		p.Check(false, "max_entry_bytes", "%s: want less than 4GiB", c.MaxEntryBytes)
	case c.MaxEntryBytes > c.MaxBytes && c.MaxBytes >= minEntryBytes:
		p.Check(false, "max_entry_bytes", "%s: want at most max_bytes, which is %s", c.MaxEntryBytes, c.MaxBytes)
	}
	return p.Err()
}
