package middlewaretest

import (
	"errors"
	"fmt"
	"time"
)

// Unbounded, as [Config.Queue], makes an accept queue that never turns a request away.
const Unbounded = -1

// Config describes a scripted upstream. A zero field means what it says (no limit, no delay, nothing kept),
// so Config{} is an upstream that answers every request at once with an empty 200 over HTTP/1.1.
// [DefaultConfig] adds the records that tests read.
type Config struct {
	// Script chooses the answers. Nil answers every request with an empty 200. Default nil.
	Script Script `yaml:"-"`

	// Capacity is the number of requests served at the same time, in slots. Default 0: no limit.
	// [Upstream.SetCapacity] changes it while the upstream runs.
	Capacity int `yaml:"capacity"`

	// ServiceTime is how long a request holds its slot before the answer begins. Default 0.
	ServiceTime time.Duration `yaml:"service_time"`

	// Queue is how many requests may wait for a slot, first in, first out; one more gets BusyAnswer at once.
	// Unbounded (-1) lets all wait. It has no effect without Capacity. Default 0: nobody waits.
	Queue int `yaml:"queue"`

	// FinishAbandoned serves a request to the end although its client has left, in the queue too, as a server
	// does that does not look at its connections. Default false: the place is free again at once.
	FinishAbandoned bool `yaml:"finish_abandoned"`

	// BusyAnswer is what a request beyond the queue gets. A zero Status sends 503 with the text "server busy".
	BusyAnswer Answer `yaml:"-"`

	// TLS serves with a certificate of the upstream's own, which [Upstream.Transport] trusts. Default false.
	TLS bool `yaml:"tls"`

	// HTTP2 serves HTTP/2 beside HTTP/1.1: through ALPN with TLS, with prior knowledge without.
	// [Upstream.Transport] then speaks HTTP/2. Default false.
	HTTP2 bool `yaml:"http2"`

	// KeepRequests is how many of the last requests [Upstream.Requests] returns. DefaultConfig: 64.
	KeepRequests int `yaml:"keep_requests"`

	// KeepBodyBytes is how much of each kept request's body is kept, in bytes; length and hash are always
	// those of the whole. DefaultConfig: 4096.
	KeepBodyBytes int `yaml:"keep_body_bytes"`

	// CallHeader names the request header that tells calls apart; [Stats.Calls] then counts the attempts of
	// each. Default "": not counted.
	CallHeader string `yaml:"call_header"`

	// MaxCalls bounds the number of calls told apart; the attempts of the calls beyond it are counted
	// together in [Stats.OtherCalls]. DefaultConfig: 65536.
	MaxCalls int `yaml:"max_calls"`
}

// DefaultConfig is an upstream without a limit on HTTP/1.1 that keeps the last 64 requests with 4 KiB of body
// each, and tells 65,536 calls apart once a CallHeader is named.
func DefaultConfig() Config {
	return Config{KeepRequests: 64, KeepBodyBytes: 4096, MaxCalls: 65536}
}

// Busy is the upstream of the overload experiment: 20 slots of 50 ms (400 requests per second), an accept
// queue of 40, and beyond that an instant 503. The experiment's second form sets Queue to [Unbounded] and
// FinishAbandoned.
func Busy() Config {
	cfg := DefaultConfig()
	cfg.Capacity = 20
	cfg.ServiceTime = 50 * time.Millisecond
	cfg.Queue = 40
	return cfg
}

// Validate reports everything that is wrong, each with its key, the value and what would be right.
func (c Config) Validate() error {
	var errs []error
	atLeast := func(key string, value, least int, right string) {
		if value < least {
			errs = append(errs, fmt.Errorf("%s: %d, want %s", key, value, right))
		}
	}
	atLeast("capacity", c.Capacity, 0, "0 (no limit) or the number of slots")
	atLeast("queue", c.Queue, Unbounded, "-1 (unbounded), 0 (none) or its length")
	atLeast("keep_requests", c.KeepRequests, 0, "0 or a number of requests")
	atLeast("keep_body_bytes", c.KeepBodyBytes, 0, "0 or a number of bytes")
	atLeast("max_calls", c.MaxCalls, 0, "0 or a number of calls")
	if c.ServiceTime < 0 {
		errs = append(errs, fmt.Errorf("service_time: %v, want 0 or a duration", c.ServiceTime))
	}
	return errors.Join(errs...)
}
