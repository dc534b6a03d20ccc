package transport

import (
	"net"
	"strings"
	"testing"
)

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"", "api.example.com", "a:8443", "http://127.0.0.1:80/x?key=secret", "::1", "[::1]:1", "fe80::1%eth0", "https://me:secret@h", "://", "a b", "]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseTarget(s)
		if err != nil {
			return
		}
		host, port, err := net.SplitHostPort(hostPort(u))
		if err != nil || host == "" {
			t.Fatalf("%q became %q, which can't be dialed: %v", s, hostPort(u), err)
		}
		if strings.ContainsAny(port, "/?#@") || u.User != nil || u.RawQuery != "" {
			t.Fatalf("%q became %q: more than scheme, name and port", s, u)
		}
	})
}
