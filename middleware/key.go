package middleware

import (
	"net"
	"net/http"
	"strings"
)

// KeyFunc tells which requests share a state: a limit, a breaker. It must be
// fast and must not keep or change the request.
type KeyFunc func(*http.Request) string

// Authority is the usual key: host and port that the request goes to, in lower
// case and without the scheme's default port.
func Authority(req *http.Request) string {
	if req.URL == nil {
		return req.Host
	}
	host := req.URL.Host
	for i := range len(host) {
		// The colon and the capitals, and nothing in between that is in a host:
		// several stages ask for the key of every request, and one comparison is half the work of two.
		if c := host[i]; ':' <= c && c <= 'Z' {
			return canonicalAuthority(req.URL.Scheme, strings.ToLower(host))
		}
	}
	return host
}

func canonicalAuthority(scheme, host string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return host
	}
	if port == "443" && scheme == "https" || port == "80" && scheme == "http" || port == "" {
		if strings.Contains(name, ":") {
			return "[" + name + "]"
		}
		return name
	}
	return host
}

// Shared is the key of a state that all requests share.
func Shared(*http.Request) string { return "" }

// The names of the keys that configuration can choose.
const (
	KeyAuthority = "authority"
	KeyModel     = "model"
	KeyShared    = "shared"
)

// KeyByName gives the key function of a name in configuration, nil for one that does not exist.
func KeyByName(name string) KeyFunc {
	switch name {
	case KeyAuthority:
		return Authority
	case KeyModel:
		return Model
	case KeyShared:
		return Shared
	}
	return nil
}

// CheckKey adds a problem with the named setting unless key is the name of a key.
func (p *Problems) CheckKey(name, key string) {
	p.Check(KeyByName(key) != nil, name, "%q is unknown; it can be %q, %q or %q", key, KeyAuthority, KeyModel, KeyShared)
}
