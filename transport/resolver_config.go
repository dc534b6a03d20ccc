package transport

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// ResolverConfig is what a [CachingResolver] needs to know. Start from
// [DefaultResolverConfig].
type ResolverConfig struct {
	// TTL is how long an answer is served without asking again. Default 30s: Go's
	// resolver does not tell the record's own TTL, and 30s is below the 60s that
	// most services publish.
	TTL time.Duration `yaml:"ttl"`

	// RefreshAt is the share of the TTL after which an answer that is in use is renewed
	// in the background, and the names of busy connections are looked up again.
	// Default 0.8: after 24s. From 0.1 to 1; with 1 an answer is renewed when it is
	// over, and who asks first then waits.
	RefreshAt float64 `yaml:"refresh_at"`

	// ResolutionDelay is how long a lookup that has the addresses of one family waits
	// for those of the other. Default 50ms (RFC 8305, section 3).
	ResolutionDelay time.Duration `yaml:"resolution_delay"`

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

	// MaxHosts bounds the names that are kept, the lookups at one time, and the hosts
	// whose connections are kept. Default 1024; what has gone unused for longest
	// gives way.
	MaxHosts int `yaml:"max_hosts"`

	// Server is the DNS server to ask, as address:port. Default "": the system's.
	Server string `yaml:"server"`

	// Hosts are names with fixed addresses, which are never looked up, as in
	// /etc/hosts. Default none.
	Hosts map[string][]string `yaml:"hosts"`
}

// DefaultResolverConfig returns the settings that suit most applications.
func DefaultResolverConfig() ResolverConfig {
	return ResolverConfig{
		TTL:             30 * time.Second,
		RefreshAt:       0.8,
		ResolutionDelay: 50 * time.Millisecond,
		Stale:           time.Hour,
		StaleWait:       250 * time.Millisecond,
		RetryInterval:   5 * time.Second,
		LookupTimeout:   5 * time.Second,
		MaxHosts:        1024,
	}
}

// Validate reports everything that is wrong with the configuration. Keys are
// named as they stand in a [Config].
func (c ResolverConfig) Validate() error {
	errs := []error{
		atLeast("resolver.ttl", c.TTL, time.Nanosecond),
		atLeast("resolver.resolution_delay", c.ResolutionDelay, 0),
		atLeast("resolver.stale", c.Stale, 0),
		atLeast("resolver.stale_wait", c.StaleWait, 0),
		atLeast("resolver.retry_interval", c.RetryInterval, 0),
		atLeast("resolver.lookup_timeout", c.LookupTimeout, time.Nanosecond),
		atLeast("resolver.max_hosts", c.MaxHosts, 1),
	}
	if !(c.RefreshAt >= 0.1 && c.RefreshAt <= 1) {
		errs = append(errs, &ConfigError{"resolver.refresh_at", fmt.Sprintf("%v: must be from 0.1 to 1", c.RefreshAt)})
	}
	if c.Server != "" {
		if _, err := netip.ParseAddrPort(c.Server); err != nil {
			errs = append(errs, &ConfigError{"resolver.server", fmt.Sprintf("%q: must be an address and port, such as 10.0.0.2:53", c.Server)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Hosts)) {
		key := "resolver.hosts." + name
		if len(c.Hosts[name]) == 0 {
			errs = append(errs, &ConfigError{key, "no addresses: must have at least one"})
		}
		for _, a := range c.Hosts[name] {
			if _, err := netip.ParseAddr(a); err != nil {
				errs = append(errs, &ConfigError{key, fmt.Sprintf("%q: must be an IP address", a)})
			}
		}
	}
	return errors.Join(errs...)
}

// refreshAge is the age at which an answer is renewed.
func (c ResolverConfig) refreshAge() time.Duration {
	return time.Duration(float64(c.TTL) * c.RefreshAt)
}

// static is Hosts as they are looked up. The configuration is valid.
func (c ResolverConfig) static() map[string][]netip.Addr {
	all := make(map[string][]netip.Addr, len(c.Hosts))
	for name, list := range c.Hosts {
		name = strings.TrimSuffix(strings.ToLower(name), ".")
		for _, a := range list {
			if addr, err := netip.ParseAddr(a); err == nil {
				all[name] = append(all[name], addr)
			}
		}
	}
	return all
}
