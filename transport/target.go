package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// parseTarget reads what Warm accepts as a host. Of a URL only scheme and host
// count; errors do not repeat the rest, which may hold credentials.
func parseTarget(host string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(host, "://")
	if !ok {
		scheme, rest = "https", host
	}
	if ip, err := netip.ParseAddr(rest); err == nil && ip.Is6() {
		rest = "[" + rest + "]" // the colons are the address's own
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err == nil {
		_, _, err = net.SplitHostPort(hostPort(u)) // url.Parse lets stray brackets pass
	}
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the host is not one: want api.example.com, api.example.com:8443 or http://127.0.0.1:8080")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: scheme %q: must be http or https", u.Host, u.Scheme)
	}
	for _, c := range []byte(u.Host) {
		if c >= 0x80 {
			return nil, fmt.Errorf("%s: must be in ASCII form (xn--...)", u.Host)
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host), Path: "/"}, nil
}

// route tells where a request to at would connect first.
func (t *Transport) route(ctx context.Context, l *lane, at *url.URL) (to destination, proxied bool, err error) {
	if t.proxy != nil {
		req := (&http.Request{Method: http.MethodGet, URL: at, Host: at.Host, Header: make(http.Header)}).WithContext(ctx)
		proxy, err := t.proxy(req)
		if err != nil {
			// The cause quotes the setting, which may hold a password.
			return to, true, errors.New("the proxy setting can't be read")
		}
		if proxy != nil {
			// The tunnel is net/http's, and so is what goes through it.
			secure := proxy.Scheme == "https"
			return destination{lane: l, secure: secure, proxy: secure, host: hostPort(proxy)}, true, nil
		}
	}
	return destination{lane: l, secure: at.Scheme == "https", host: hostPort(at)}, false, nil
}

// hostPort is the address that net/http dials for u.
func hostPort(u *url.URL) string { return keyOf(u).addr() }

// hostname is the name in host:port, which is well-formed.
func hostname(addr string) string {
	name, _, _ := net.SplitHostPort(addr)
	return name
}
