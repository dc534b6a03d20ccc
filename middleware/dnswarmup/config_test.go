package dnswarmup_test

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/dnswarmup"
)

func TestDefaultConfigIsValidAndHasNoHosts(t *testing.T) {
	require.NoError(t, dnswarmup.DefaultConfig().Validate())
	require.Empty(t, dnswarmup.DefaultConfig().Hosts)
}

func TestEmptyConfigIsRefused(t *testing.T) {
	_, err := dnswarmup.New(dnswarmup.Config{}, dnswarmup.WithWarmer(&fake{}))
	require.ErrorContains(t, err, "DefaultConfig")
}

func TestWithoutAWarmerTheStageCantBeMade(t *testing.T) {
	_, err := dnswarmup.New(dnswarmup.DefaultConfig())
	require.ErrorIs(t, err, dnswarmup.ErrNoWarmer)
	require.ErrorContains(t, err, "dns_warmup: the base can't warm connections")
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	err := dnswarmup.Config{
		Hosts:       []string{"api.example.com", "two words", "https://API.example.com:443"},
		Connections: -1, Timeout: -time.Second, Parallel: 0,
	}.Validate()
	for _, want := range []string{
		`hosts[1]: "two words" is not a host name`,
		`hosts[2]: "https://API.example.com:443" is the same host as hosts[0]`,
		`connections: -1 is negative`, `timeout: -1s leaves no time`, `parallel: 0 would never begin`,
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestHosts(t *testing.T) {
	for host, want := range map[string]string{ // part of the error; "" if there is none
		"api.example.com":             "",
		"api.example.com.":            "",
		"API.Example.com":             "",
		"localhost:8080":              "",
		"http://127.0.0.1:8080":       "",
		"HTTPS://api.example.com":     "",
		"my_host":                     "",
		"xn--bcher-kva.example":       "",
		"::1":                         "",
		"[::1]":                       "",
		"http://[2001:db8::1]:80":     "",
		"":                            "the host is empty",
		"https://":                    "the host is empty",
		"ftp://example.com":           `"ftp" is not a scheme`,
		"https://user:pw@example.com": "credentials don't belong here",
		"https://example.com/":        "name the host alone",
		"example.com?key=pw":          "name the host alone",
		"example.com:":                "no valid port",
		"example.com:0":               "no valid port",
		"example.com:65536":           "no valid port",
		"example.com:https":           "no valid port",
		"a:b:c":                       "is not a host",
		"[::1":                        "is not a host",
		"fe80::1%eth0":                "is not a host",
		"[fe80::1%eth0]:443":          "is not a host name",
		"[example.com]:443":           "is not a host name",
		"exa mple.com":                "is not a host name",
		"example..com":                "is not a host name",
		"bücher.example":              "xn-- form",
		"exam\x00ple.com":             "is not a host name",
	} {
		t.Run(host, func(t *testing.T) {
			err := config(host).Validate()
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), "pw")
		})
	}
}

func TestTheSameHostTwice(t *testing.T) {
	for _, pair := range [][2]string{
		{"a.example.com", "https://A.example.com"},
		{"http://a.example.com", "http://a.example.com:80"},
		{"::1", "[::1]:443"},
	} {
		require.ErrorContains(t, config(pair[0], pair[1]).Validate(), "hosts[1]", "%v", pair)
	}
	require.NoError(t, config("a.example.com", "http://a.example.com", "a.example.com:8443").Validate())
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"api.example.com", "http://[::1]:80", "a:b:c", "[", "]", "://", "https://[x]", "x]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if config(host).Validate() != nil || net.ParseIP(host) != nil {
			return
		}
		scheme, rest, ok := strings.Cut(host, "://")
		if !ok {
			scheme, rest = "https", host
		}
		if u, err := url.Parse(scheme + "://" + rest + "/"); err != nil || u.Hostname() == "" || u.Path != "/" {
			t.Errorf("%q is accepted, but is no host: %v, %v", host, u, err)
		}
	})
}

func TestYAML(t *testing.T) {
	cfg := dnswarmup.DefaultConfig()
	require.NoError(t, yaml.UnmarshalWithOptions([]byte(`{hosts: [api.deepseek.com], connections: 4, required: true}`), &cfg, yaml.Strict()))
	want := config("api.deepseek.com")
	want.Connections, want.Required = 4, true
	require.Equal(t, want, cfg)
}

func TestTheCallersHostsAreCopied(t *testing.T) {
	cfg := config("a")
	f := &fake{}
	w, _ := newStage(t, cfg, f)
	cfg.Hosts[0] = "changed"
	require.NoError(t, w.Start(t.Context()))
	require.NoError(t, w.Stop(t.Context()))
	require.Equal(t, []string{"a"}, f.hosts())
}
