package dnswarmup

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// parseHost checks a host as middleware.Warmer takes it, and gives its full
// form, scheme://name:port in lower case, by which two are told to be the same.
// The problem does not repeat what may be a credential.
func parseHost(host string) (target, problem string) {
	scheme, rest, ok := strings.Cut(host, "://")
	if !ok {
		scheme, rest = "https", host
	}
	scheme = strings.ToLower(scheme)
	port := defaultPort(scheme)
	switch {
	case rest == "":
		return "", "the host is empty; write for example api.example.com"
	case strings.Contains(rest, "@"):
		return "", "credentials don't belong here; name the host alone"
	case port == "":
		return "", quoted(scheme) + " is not a scheme that can be warmed; it can be http or https"
	case strings.ContainsAny(rest, "/?#"):
		return "", "a path or query has no connection of its own; name the host alone"
	}
	name := rest
	if !isAddress(rest) && strings.Contains(rest, ":") {
		// Not an IPv6 address without brackets, so a port or brackets.
		if strings.HasSuffix(rest, "]") {
			rest += ":" + port
		}
		var err error
		if name, port, err = net.SplitHostPort(rest); err != nil {
			return "", quoted(host) + " is not a host; write for example api.example.com:8443, or [::1]:8443"
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", quoted(host) + " has no valid port; it goes from 1 to 65535"
		}
	}
	if !isAddress(name) && (!isName(name) || rest[0] == '[') {
		return "", quoted(host) + " is not a host name; it is made of letters, digits, - and _ in parts of up to 63, an international name in its xn-- form"
	}
	return scheme + "://" + strings.ToLower(net.JoinHostPort(name, port)), ""
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// isAddress tells whether s is an IP address. A zone is not for URLs without escapes.
func isAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}

func quoted(s string) string {
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return strconv.Quote(s)
}

// isName tells whether name can be looked up in DNS (RFC 1035, section 2.3.4;
// underscores are not for hosts, but there are such).
func isName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if len(name) > 253 {
		return false
	}
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || len(part) > 63 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return true
}
