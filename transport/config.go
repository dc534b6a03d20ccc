package transport

import (
	"errors"
	"fmt"
	"time"
)

// Config is what a [Transport] needs to know. Start from [DefaultConfig]: a zero
// value means "off" or "no limit" only where the field says so, and is refused
// elsewhere.
type Config struct {
	// MaxIdleConns bounds the connections that are kept idle: while more are open, in
	// use or not, a new connection closes the idle ones of the host that went unused
	// for longest. It also bounds the spare connections that Warm opens. Default 512:
	// room for two busy hosts, and half of the 1024 file descriptors that a process
	// often has.
	MaxIdleConns int `yaml:"max_idle_conns"`

	// MaxIdleConnsPerHost bounds the idle connections to one host, and the spare
	// ones. Default 256. net/http's default is 2: of 100 callers that finish
	// together, 98 lose their connection and pay for a new one in the next round.
	// It must be at least the concurrency towards one host.
	MaxIdleConnsPerHost int `yaml:"max_idle_conns_per_host"`

	// MaxConnsPerHost bounds all connections to one host. Default 0: no limit,
	// because net/http's queue behind the limit is first come, first served and
	// knows no deadlines. Concurrency is bounded by the semaphore stage, which does.
	MaxConnsPerHost int `yaml:"max_conns_per_host"`

	// IdleConnTimeout closes a connection that has been unused for so long. Default
	// 55s: just under the 60s after which common load balancers close it. Who
	// closes last loses: a request written to a connection that the server is
	// closing fails, and a POST can't be sent again safely. net/http has 90s.
	IdleConnTimeout time.Duration `yaml:"idle_conn_timeout"`

	// MaxConnAge bounds how long a connection takes new requests. Default 10m, less up
	// to a tenth so that processes do not reconnect in step: load balancers bring
	// machines in and take them out without changing an address, which only new
	// connections notice. All connections to a host are replaced together when the
	// first reaches the age: new ones are opened before, and those in use finish what
	// they carry. 0: no bound.
	MaxConnAge time.Duration `yaml:"max_conn_age"`

	// DialTimeout bounds lookup and TCP connect together, over all addresses of the
	// host. Default 5s: enough for two lost SYN packets (sent again after 1s and
	// 3s); net/http's 30s uses up the patience of most callers.
	DialTimeout time.Duration `yaml:"dial_timeout"`

	// AttemptDelay is how long one address is tried alone before the next one joins
	// in. Default 250ms (RFC 8305, section 5); an attempt that fails starts the next
	// one at once.
	AttemptDelay time.Duration `yaml:"attempt_delay"`

	// TLSHandshakeTimeout bounds the TLS handshake. Default 10s, as in net/http: an
	// overloaded server is slow exactly here, and giving up makes it do the same
	// work again.
	TLSHandshakeTimeout time.Duration `yaml:"tls_handshake_timeout"`

	// TLSSessionCache is the number of TLS sessions kept for resumption, one per
	// host. Default 128. Resumed handshakes spare both sides the certificate work;
	// net/http keeps none. 0 switches it off.
	TLSSessionCache int `yaml:"tls_session_cache"`

	// KeepAlive is how long a TCP connection is silent before the kernel probes it;
	// three probes follow, a third of KeepAlive apart, so that a dead peer is noticed
	// within twice this time. On Linux a connection on which data goes unacknowledged
	// for twice this time is given up too. Default 14s: gone within 28s. 0 switches
	// both off.
	KeepAlive time.Duration `yaml:"keep_alive"`

	// ExpectContinueTimeout is how long a request with "Expect: 100-continue" waits
	// for the server's go-ahead before it sends the body anyway. Default 1s, as in
	// net/http. 0 sends the body at once.
	ExpectContinueTimeout time.Duration `yaml:"expect_continue_timeout"`

	// HTTP2 offers HTTP/2 to TLS servers. Default true: one connection and one
	// handshake for all requests to a host.
	HTTP2 bool `yaml:"http2"`

	// H2C speaks HTTP/2 without TLS to all http:// URLs, by prior knowledge (RFC 9113,
	// section 3.3). Default false: a server that does not speak it can't be told, and
	// a proxy on the way would have to speak it too. Of requests that come at once
	// before the first has its connection, net/http gives each a dial of its own, and
	// closes all but one.
	H2C bool `yaml:"h2c"`

	// HTTP2PingAfter sends a PING on an HTTP/2 connection from which nothing has
	// come for so long. Default 15s. net/http sends none, and all requests to a host
	// then hang on one dead connection until the kernel gives up, which takes
	// minutes. 0 switches it off.
	HTTP2PingAfter time.Duration `yaml:"http2_ping_after"`

	// HTTP2PingTimeout closes the connection if the PING is not answered in time.
	// Default 10s: with HTTP2PingAfter a dead connection is gone after 25s.
	HTTP2PingTimeout time.Duration `yaml:"http2_ping_timeout"`

	// MaxResponseHeaderBytes bounds the header of a response, in bytes. Default
	// 1048576 (1 MiB), as Go's server does for requests; net/http accepts 10 MiB
	// for each response in flight.
	MaxResponseHeaderBytes int64 `yaml:"max_response_header_bytes"`

	// Proxy is "environment" (HTTP_PROXY, HTTPS_PROXY and NO_PROXY, as net/http reads
	// them), "none", or a URL: http, https, socks5 or socks5h. Default "environment".
	Proxy string `yaml:"proxy" headgate:"secret"`

	// NoProxy are hosts that a proxy given as a URL is not for: "api.internal" (and what
	// ends in .api.internal), ".internal", an address, or a network such as
	// 10.0.0.0/8. Default none.
	NoProxy []string `yaml:"no_proxy"`

	// UnixSocket is the path of a socket to which all connections go, whatever the
	// URL's host. No name is looked up and no proxy is used then. Default "": TCP.
	UnixSocket string `yaml:"unix_socket"`

	// TLS holds the settings of TLS.
	TLS TLSConfig `yaml:"tls"`

	// Resolver holds the settings of the caching resolver.
	Resolver ResolverConfig `yaml:"resolver"`
}

// DefaultConfig returns the settings that suit most applications.
func DefaultConfig() Config {
	return Config{
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    256,
		MaxConnsPerHost:        0,
		IdleConnTimeout:        55 * time.Second,
		MaxConnAge:             10 * time.Minute,
		DialTimeout:            5 * time.Second,
		AttemptDelay:           250 * time.Millisecond,
		TLSHandshakeTimeout:    10 * time.Second,
		TLSSessionCache:        128,
		KeepAlive:              14 * time.Second,
		ExpectContinueTimeout:  time.Second,
		HTTP2:                  true,
		HTTP2PingAfter:         15 * time.Second,
		HTTP2PingTimeout:       10 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		Proxy:                  proxyEnvironment,
		TLS:                    DefaultTLSConfig(),
		Resolver:               DefaultResolverConfig(),
	}
}

// Validate reports everything that is wrong with the configuration.
func (c Config) Validate() error {
	errs := []error{
		atLeast("max_idle_conns", c.MaxIdleConns, 1),
		atLeast("max_idle_conns_per_host", c.MaxIdleConnsPerHost, 1),
		atLeast("max_conns_per_host", c.MaxConnsPerHost, 0),
		atLeast("idle_conn_timeout", c.IdleConnTimeout, time.Nanosecond),
		atLeast("max_conn_age", c.MaxConnAge, 0),
		atLeast("dial_timeout", c.DialTimeout, time.Nanosecond),
		atLeast("attempt_delay", c.AttemptDelay, 10*time.Millisecond),
		atLeast("tls_handshake_timeout", c.TLSHandshakeTimeout, time.Nanosecond),
		atLeast("tls_session_cache", c.TLSSessionCache, 0),
		atLeast("keep_alive", c.KeepAlive, 0),
		atLeast("expect_continue_timeout", c.ExpectContinueTimeout, 0),
		atLeast("http2_ping_after", c.HTTP2PingAfter, 0),
		atLeast("max_response_header_bytes", c.MaxResponseHeaderBytes, 1),
		c.TLS.Validate(),
		c.Resolver.Validate(),
	}
	errs = append(errs, c.validateProxy()...)
	if c.HTTP2PingAfter > 0 {
		errs = append(errs, atLeast("http2_ping_timeout", c.HTTP2PingTimeout, time.Nanosecond))
	}
	if c.MaxIdleConns > 0 && c.MaxIdleConnsPerHost > c.MaxIdleConns {
		errs = append(errs, &ConfigError{"max_idle_conns_per_host",
			fmt.Sprintf("%d: must not be above max_idle_conns, which is %d", c.MaxIdleConnsPerHost, c.MaxIdleConns)})
	}
	return errors.Join(errs...)
}

// warmLimit is the number of connections that may wait for one host.
func (c Config) warmLimit() int {
	if c.MaxConnsPerHost > 0 {
		return min(c.MaxIdleConnsPerHost, c.MaxConnsPerHost)
	}
	return c.MaxIdleConnsPerHost
}

// ConfigError is one thing that is wrong in a configuration.
type ConfigError struct {
	Name    string // the setting as it is written in YAML: "resolver.ttl"
	Problem string // the value and what would be right
}

// Error reads "resolver.ttl: 0s: must be above 0".
func (e *ConfigError) Error() string { return e.Name + ": " + e.Problem }

// Key is the setting's name, by which a loader finds its place in a file.
func (e *ConfigError) Key() string { return e.Name }

// atLeast reports a value that is below the lowest that makes sense.
func atLeast[T int | int64 | time.Duration](name string, value, lowest T) error {
	if value >= lowest {
		return nil
	}
	if d, ok := any(lowest).(time.Duration); ok && d == time.Nanosecond {
		return &ConfigError{name, fmt.Sprintf("%v: must be above 0", value)}
	}
	return &ConfigError{name, fmt.Sprintf("%v: must be at least %v", value, lowest)}
}
