package transport

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoProxyRules(t *testing.T) {
	for _, tc := range []struct {
		rule, host string
		want       bool
	}{
		{"*", "api.example.com", true},
		{"example.com", "example.com", true},
		{"example.com", "API.Example.com.", true},
		{"example.com", "badexample.com", false},
		{".example.com", "api.example.com", true},
		{".example.com", "example.com", false},
		{"*.example.com", "api.example.com", true},
		{"10.0.0.0/8", "10.1.2.3", true},
		{"10.0.0.0/8", "11.1.2.3", false},
		{"10.0.0.0/8", "api.example.com", false},
		{"10.1.2.3", "10.1.2.3", true},
		{"2001:db8::/32", "2001:db8::1", true},
		{"example.com", "10.1.2.3", false},
	} {
		require.Equal(t, tc.want, exempt(tc.rule, tc.host), "%s for %s", tc.rule, tc.host)
	}
}
