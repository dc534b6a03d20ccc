package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// What the proxy setting can be besides a URL.
const (
	proxyEnvironment = "environment"
	proxyNone        = "none"
)

// proxyFunc is what the settings say. The configuration is valid.
func (c Config) proxyFunc() ProxyFunc {
	switch {
	case c.Proxy == proxyNone || c.UnixSocket != "":
		return nil
	case c.Proxy == proxyEnvironment:
		return http.ProxyFromEnvironment
	}
	u, err := parseProxy(c.Proxy)
	return func(req *http.Request) (*url.URL, error) {
		if err != nil || slices.ContainsFunc(c.NoProxy, func(rule string) bool { return exempt(rule, req.URL.Hostname()) }) {
			return nil, err
		}
		return u, nil
	}
}

// parseProxy reads a proxy's URL. Errors do not repeat it: it may hold a password.
func parseProxy(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("must be environment, none, or a URL such as http://proxy.example.com:3128")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, fmt.Errorf("scheme %q: must be http, https, socks5 or socks5h", u.Scheme)
}

// exempt reports whether a rule of no_proxy is about a host: its name, a domain that
// it is in, its address, or a network that its address is in.
func exempt(rule, host string) bool {
	rule, host = strings.ToLower(rule), strings.TrimSuffix(strings.ToLower(host), ".")
	if rule == "*" {
		return true
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if network, err := netip.ParsePrefix(rule); err == nil {
			return network.Contains(addr.Unmap())
		}
		same, err := netip.ParseAddr(rule)
		return err == nil && same == addr
	}
	domain := strings.TrimPrefix(strings.TrimPrefix(rule, "*"), ".")
	return host == domain && domain == rule || strings.HasSuffix(host, "."+domain)
}

// validateProxy reports what is wrong with the proxy's settings.
func (c Config) validateProxy() []error {
	var errs []error
	if c.Proxy != proxyEnvironment && c.Proxy != proxyNone {
		if _, err := parseProxy(c.Proxy); err != nil {
			errs = append(errs, &ConfigError{"proxy", err.Error()})
		} else if c.UnixSocket != "" {
			errs = append(errs, &ConfigError{"proxy", "can't be used with unix_socket: leave one of them out"})
		}
	}
	for i, rule := range c.NoProxy {
		if rule == "" || strings.ContainsAny(rule, " ,@") {
			errs = append(errs, &ConfigError{fmt.Sprintf("no_proxy[%d]", i),
				fmt.Sprintf("%q: must be a host, a domain such as .example.com, an address, or a network such as 10.0.0.0/8", rule)})
		}
	}
	return errs
}
