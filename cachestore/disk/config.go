package disk

import "github.com/headgate-go/headgate/middleware"

const (
	blockBytes = 4 << 10 // what a file is charged is a multiple of it
	minBytes   = 1 << 20

	// The bound, in eighths of max_bytes: a sweep begins when one has been written, leaves six, and lets one more be
	// written while it is under way.
	sweepEvery = 1
	sweepLeave = 6
	writeAhead = 2
)

// Config is the settings of a [Store].
type Config struct {
	// Folder is where the files are. It is made when it is needed, its parents too. It has no default.
	Folder string `yaml:"folder"`
	// MaxBytes bounds the files together, each counted in blocks of 4KiB. Bytes, at least 1MiB. Default 1GiB.
	MaxBytes middleware.Bytes `yaml:"max_bytes"`
	// MaxEntryBytes bounds one file, which is the value, the key, the tags and 72 bytes: larger ones are refused with
	// ErrTooLarge. Bytes, from 4KiB to an eighth of max_bytes. Default 64MiB.
	MaxEntryBytes middleware.Bytes `yaml:"max_entry_bytes"`
}

// DefaultConfig is 1 GiB with at most 64 MiB an entry, in no folder yet.
func DefaultConfig() Config {
	return Config{MaxBytes: middleware.GiB, MaxEntryBytes: 64 * middleware.MiB}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	p.Check(c.Folder != "", "folder", "it is empty; write for example /var/cache/myapp")
	p.Check(c.MaxBytes >= minBytes, "max_bytes", "%v is too small; write at least 1MiB, such as 1GiB", c.MaxBytes)
	p.Check(c.MaxEntryBytes >= blockBytes && (c.MaxBytes < minBytes || c.MaxEntryBytes <= c.MaxBytes/8), "max_entry_bytes",
		"%v is out of range; it can be from 4KiB to an eighth of max_bytes, which is %v", c.MaxEntryBytes, c.MaxBytes/8)
	return p.Err()
}
