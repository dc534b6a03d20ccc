package transport

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
)

// DialFunc opens one connection to an IP address and port; [net.Dialer]'s
// DialContext is one. It must give up when ctx ends.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// ProxyFunc chooses the proxy of a request, nil for none, as
// [http.Transport].Proxy does.
type ProxyFunc func(*http.Request) (*url.URL, error)

// Option gives a [Transport] a collaborator of one's own.
type Option func(*options)

type options struct {
	resolver Resolver
	dial     DialFunc
	tls      *tls.Config
	proxy    ProxyFunc
	events   func(Event)
}

// WithResolver replaces the lookup behind the cache, which is
// [net.DefaultResolver] by default, or asks resolver.server. It is asked for "ip4"
// and "ip6" at the same time. A nil resolver keeps the default.
func WithResolver(r Resolver) Option {
	return func(o *options) {
		if r != nil {
			o.resolver = r
		}
	}
}

// WithDial replaces the dial to a single address, which is a [net.Dialer] by
// default; keep_alive then has no effect. With unix_socket the network is "unix" and
// the address the socket's path. The connections must support deadlines. A nil function keeps the default.
func WithDial(dial DialFunc) Option {
	return func(o *options) {
		if dial != nil {
			o.dial = dial
		}
	}
}

// WithTLSConfig sets roots, client certificates, versions and the like, to which
// the tls settings add; the higher of two lowest versions holds. The configuration is cloned; NextProtos is set by the http2 setting, and
// ServerName, if empty, is the host's.
func WithTLSConfig(cfg *tls.Config) Option {
	return func(o *options) {
		if cfg != nil {
			o.tls = cfg.Clone()
		}
	}
}

// WithProxy replaces what the proxy settings say. A nil function means that no
// proxy is ever used.
func WithProxy(proxy ProxyFunc) Option {
	return func(o *options) { o.proxy = proxy }
}

// buildOptions applies the options over the defaults.
func buildOptions(cfg Config, opts []Option) options {
	o := options{
		dial:  systemDial(cfg),
		tls:   &tls.Config{},
		proxy: cfg.proxyFunc(),
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	return o
}

// systemDial is the operating system's dial with keep-alive probes as
// configured. It sets no timeout: the caller's context carries it.
func systemDial(cfg Config) DialFunc {
	probe := net.KeepAliveConfig{
		Enable:   cfg.KeepAlive > 0,
		Idle:     cfg.KeepAlive,
		Interval: cfg.KeepAlive / 3,
		Count:    3,
	}
	d := &net.Dialer{KeepAliveConfig: probe, ControlContext: abortAfter(2 * cfg.KeepAlive)}
	if !probe.Enable {
		d.KeepAlive = -1 // a zero KeepAlive would mean Go's default
	}
	return d.DialContext
}
