package redis

import (
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

const (
	maxPrefixBytes = 128
	prefixBytes    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/:"
)

// Config is the settings of a [Store], however its client was made.
type Config struct {
	// Prefix is what all keys begin with: 1 to 128 letters, digits and any of .-_/: (no pattern and no hash tag).
	// Default "headgate:".
	Prefix string `yaml:"prefix"`
	// Timeout bounds each operation. Default 250ms.
	Timeout time.Duration `yaml:"timeout"`
	// MaxEntryBytes bounds one entry, which is the value, the key, the tags and 72 bytes: larger ones are refused with
	// ErrTooLarge. Bytes, from 1KiB to 512MiB, which is the server's limit. Default 8MiB.
	MaxEntryBytes middleware.Bytes `yaml:"max_entry_bytes"`
}

// DefaultConfig has the prefix "headgate:", a timeout of 250 ms and at most 8 MiB an entry.
func DefaultConfig() Config {
	return Config{Prefix: "headgate:", Timeout: 250 * time.Millisecond, MaxEntryBytes: 8 * middleware.MiB}
}

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var p middleware.Problems
	c.check(&p)
	return p.Err()
}

func (c Config) check(p *middleware.Problems) {
	p.Check(c.Prefix != "" && len(c.Prefix) <= maxPrefixBytes && strings.Trim(c.Prefix, prefixBytes) == "", "prefix",
		"%.140q is no prefix; write 1 to 128 letters, digits and any of .-_/:, such as myapp:", c.Prefix)
	p.Check(c.Timeout > 0, "timeout", "%v is no time at all; write for example 250ms", c.Timeout)
	p.Check(c.MaxEntryBytes >= middleware.KiB && c.MaxEntryBytes <= 512*middleware.MiB, "max_entry_bytes",
		"%v is out of range; it can be from 1KiB to 512MiB", c.MaxEntryBytes)
}
