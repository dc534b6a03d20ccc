package middleware_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

func TestAuthority(t *testing.T) {
	for raw, want := range map[string]string{
		"https://api.example.com/v1":         "api.example.com",
		"https://API.Example.COM/v1":         "api.example.com",
		"https://api.example.com:443":        "api.example.com",
		"http://api.example.com:80":          "api.example.com",
		"http://api.example.com:443":         "api.example.com:443",
		"https://api.example.com:80":         "api.example.com:80",
		"https://api.example.com:8443":       "api.example.com:8443",
		"HTTPS://API.example.com:443":        "api.example.com",
		"https://api.example.com:":           "api.example.com",
		"https://user:secret@a.example.com/": "a.example.com",
		"http://127.0.0.1:8080":              "127.0.0.1:8080",
		"http://127.0.0.1:80":                "127.0.0.1",
		"https://[2001:DB8::1]/":             "[2001:db8::1]",
		"https://[2001:db8::1]:443/":         "[2001:db8::1]",
		"https://[2001:db8::1]:8443/":        "[2001:db8::1]:8443",
		"http://[::1]:80":                    "[::1]",
		"mailto:nobody":                      "",
	} {
		u, err := url.Parse(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, middleware.Authority(&http.Request{URL: u}), raw)
	}
	require.Equal(t, "host.test", middleware.Authority(&http.Request{Host: "host.test"}), "without a URL")
	require.Equal(t, "a:b:c", middleware.Authority(&http.Request{URL: &url.URL{Host: "A:b:c"}}), "no host and port")
}

func TestAuthorityAllocatesNothing(t *testing.T) {
	for _, raw := range []string{"https://api.example.com/v1", "http://127.0.0.1:8080", "https://[2001:db8::1]:8443/", "https://api.example.com:443"} {
		u, err := url.Parse(raw)
		require.NoError(t, err)
		req := &http.Request{URL: u}
		require.Zero(t, testing.AllocsPerRun(100, func() { middleware.Authority(req) }), raw)
	}
}

func TestKeyByName(t *testing.T) {
	req := request(t.Context(), t)
	require.Equal(t, "upstream.test", middleware.KeyByName(middleware.KeyAuthority)(req))
	require.Empty(t, middleware.KeyByName(middleware.KeyShared)(req))
	require.Equal(t, "upstream.test", middleware.KeyByName(middleware.KeyModel)(req))
	require.Nil(t, middleware.KeyByName("unknown"))
	require.Nil(t, middleware.KeyByName(""))
}
