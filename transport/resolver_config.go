package transport

import (
	"errors"
	"time"
)

// ResolverConfig is what a [CachingResolver] needs to know. Start from
// [DefaultResolverConfig].
type ResolverConfig struct {
	// TTL is how long an answer is served without asking again. Default 30s: Go's
	// resolver does not tell the record's own TTL, and 30s is below the 60s that
	// most services publish.
	TTL time.Duration `yaml:"ttl"`

	// Stale is how long after its TTL an answer is still served if lookups fail.
	// Default 1h: DNS outages last minutes, and an address that has changed hands in
	// the meantime fails the TLS handshake. 0 never serves a stale answer.
	Stale time.Duration `yaml:"stale"`

	// StaleWait is how long a caller waits for a fresh answer while there is a stale
	// one (the "client response timer" of RFC 8767, section 5). Default 250ms; the
	// lookup goes on and its answer serves the next caller. 0 does not wait.
	StaleWait time.Duration `yaml:"stale_wait"`

	// RetryInterval is the pause after a failed lookup before the next one, while
	// there is a stale answer to serve (the "failure recheck timer" of RFC 8767).
	// Default 5s. Without a stale answer each call asks again: errors are not kept.
	RetryInterval time.Duration `yaml:"retry_interval"`

	// LookupTimeout bounds one lookup, whoever waits for it. Default 5s, the usual
	// timeout of resolv.conf.
	LookupTimeout time.Duration `yaml:"lookup_timeout"`

	// MaxHosts bounds the names that are kept, and the lookups at one time. Default
	// 1024; the name that has gone unused for longest gives way.
	MaxHosts int `yaml:"max_hosts"`
}

// DefaultResolverConfig returns the settings that suit most applications.
func DefaultResolverConfig() ResolverConfig {
	return ResolverConfig{
		TTL:           30 * time.Second,
		Stale:         time.Hour,
		StaleWait:     250 * time.Millisecond,
		RetryInterval: 5 * time.Second,
		LookupTimeout: 5 * time.Second,
		MaxHosts:      1024,
	}
}

// Validate reports everything that is wrong with the configuration. Keys are
// named as they stand in a [Config].
func (c ResolverConfig) Validate() error {
	return errors.Join(
		atLeast("resolver.ttl", c.TTL, time.Nanosecond),
		atLeast("resolver.stale", c.Stale, 0),
		atLeast("resolver.stale_wait", c.StaleWait, 0),
		atLeast("resolver.retry_interval", c.RetryInterval, 0),
		atLeast("resolver.lookup_timeout", c.LookupTimeout, time.Nanosecond),
		atLeast("resolver.max_hosts", c.MaxHosts, 1),
	)
}
