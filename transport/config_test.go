package transport_test

import (
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/transport"
)

func TestDefaultConfigIsValid(t *testing.T) {
	require.NoError(t, transport.DefaultConfig().Validate())
}

func TestEmptyConfigNamesDefaultConfig(t *testing.T) {
	_, err := transport.New(transport.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	_, err = transport.NewCachingResolver(transport.ResolverConfig{}, nil)
	require.ErrorContains(t, err, "DefaultResolverConfig")
}

func TestValidateNamesKeyAndValue(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*transport.Config)
		want   string
	}{
		"negative idle connections":   {func(c *transport.Config) { c.MaxIdleConns = -1 }, "max_idle_conns: -1: must be at least 1"},
		"no idle connection per host": {func(c *transport.Config) { c.MaxIdleConnsPerHost = 0 }, "max_idle_conns_per_host: 0: must be at least 1"},
		"more per host than in all":   {func(c *transport.Config) { c.MaxIdleConns = 10 }, "max_idle_conns_per_host: 256: must not be above max_idle_conns, which is 10"},
		"negative limit":              {func(c *transport.Config) { c.MaxConnsPerHost = -2 }, "max_conns_per_host: -2: must be at least 0"},
		"no idle timeout":             {func(c *transport.Config) { c.IdleConnTimeout = 0 }, "idle_conn_timeout: 0s: must be above 0"},
		"no dial timeout":             {func(c *transport.Config) { c.DialTimeout = -time.Second }, "dial_timeout: -1s: must be above 0"},
		"hurried attempts":            {func(c *transport.Config) { c.AttemptDelay = time.Millisecond }, "attempt_delay: 1ms: must be at least 10ms"},
		"no handshake timeout":        {func(c *transport.Config) { c.TLSHandshakeTimeout = 0 }, "tls_handshake_timeout: 0s: must be above 0"},
		"negative session cache":      {func(c *transport.Config) { c.TLSSessionCache = -1 }, "tls_session_cache: -1: must be at least 0"},
		"negative keep-alive":         {func(c *transport.Config) { c.KeepAlive = -1 }, "keep_alive: -1ns: must be at least 0s"},
		"negative continue":           {func(c *transport.Config) { c.ExpectContinueTimeout = -1 }, "expect_continue_timeout: -1ns: must be at least 0s"},
		"ping without a timeout":      {func(c *transport.Config) { c.HTTP2PingTimeout = 0 }, "http2_ping_timeout: 0s: must be above 0"},
		"no response header":          {func(c *transport.Config) { c.MaxResponseHeaderBytes = 0 }, "max_response_header_bytes: 0: must be at least 1"},
		"negative age":                {func(c *transport.Config) { c.MaxConnAge = -1 }, "max_conn_age: -1ns: must be at least 0s"},
		"a proxy that is none":        {func(c *transport.Config) { c.Proxy = "me:secret" }, "proxy: must be environment, none, or a URL such as http://proxy.example.com:3128"},
		"a proxy of another kind":     {func(c *transport.Config) { c.Proxy = "ftp://proxy" }, `proxy: scheme "ftp": must be http, https, socks5 or socks5h`},
		"a proxy for a socket":        {func(c *transport.Config) { c.Proxy, c.UnixSocket = "http://proxy", "/s" }, "proxy: can't be used with unix_socket: leave one of them out"},
		"a list as one exception":     {func(c *transport.Config) { c.NoProxy = []string{"a,b"} }, `no_proxy[0]: "a,b": must be a host, a domain such as .example.com, an address, or a network such as 10.0.0.0/8`},
		"an old TLS version":          {func(c *transport.Config) { c.TLS.MinVersion = "1.0" }, `tls.min_version: "1.0": must be "1.2" or "1.3"`},
		"nobody to trust":             {func(c *transport.Config) { c.TLS.SystemRoots = false }, "tls.system_roots: false: must be true unless root_files names some, or nobody is trusted"},
		"a certificate without key":   {func(c *transport.Config) { c.TLS.CertFile = "c.pem" }, `tls.key_file: "": a client certificate must have both cert_file and key_file`},
		"a key without certificate":   {func(c *transport.Config) { c.TLS.KeyFile = "k.pem" }, `tls.cert_file: "": a client certificate must have both cert_file and key_file`},
		"a root without a name":       {func(c *transport.Config) { c.TLS.RootFiles = []string{""} }, `tls.root_files[0]: "": must be a file's name`},
		"no share of the ttl":         {func(c *transport.Config) { c.Resolver.RefreshAt = 0 }, "resolver.refresh_at: 0: must be from 0.1 to 1"},
		"negative resolution delay":   {func(c *transport.Config) { c.Resolver.ResolutionDelay = -1 }, "resolver.resolution_delay: -1ns: must be at least 0s"},
		"a server by name":            {func(c *transport.Config) { c.Resolver.Server = "dns:53" }, `resolver.server: "dns:53": must be an address and port, such as 10.0.0.2:53`},
		"a static host by name":       {func(c *transport.Config) { c.Resolver.Hosts = map[string][]string{"a": {"b"}} }, `resolver.hosts.a: "b": must be an IP address`},
		"a static host without any":   {func(c *transport.Config) { c.Resolver.Hosts = map[string][]string{"a": nil} }, "resolver.hosts.a: no addresses: must have at least one"},
		"no ttl":                      {func(c *transport.Config) { c.Resolver.TTL = 0 }, "resolver.ttl: 0s: must be above 0"},
		"no lookup timeout":           {func(c *transport.Config) { c.Resolver.LookupTimeout = 0 }, "resolver.lookup_timeout: 0s: must be above 0"},
		"no names":                    {func(c *transport.Config) { c.Resolver.MaxHosts = 0 }, "resolver.max_hosts: 0: must be at least 1"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := transport.DefaultConfig()
			tc.change(&cfg)
			require.EqualError(t, cfg.Validate(), tc.want)
			_, err := transport.New(cfg)
			require.ErrorContains(t, err, tc.want)
			var located *transport.ConfigError
			require.ErrorAs(t, err, &located)
			require.Contains(t, tc.want, located.Key())
		})
	}
}

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	cfg := transport.DefaultConfig()
	cfg.DialTimeout, cfg.Resolver.TTL, cfg.MaxConnsPerHost = 0, -1, -1
	err := cfg.Validate()
	for _, key := range []string{"dial_timeout", "resolver.ttl", "max_conns_per_host"} {
		require.ErrorContains(t, err, key)
	}
}

func TestZeroIsOffWhereTheFieldSaysSo(t *testing.T) {
	cfg := transport.DefaultConfig()
	cfg.KeepAlive, cfg.TLSSessionCache, cfg.ExpectContinueTimeout = 0, 0, 0
	cfg.HTTP2PingAfter, cfg.HTTP2PingTimeout = 0, 0
	cfg.Resolver.Stale, cfg.Resolver.StaleWait, cfg.Resolver.RetryInterval = 0, 0, 0
	cfg.MaxConnAge, cfg.Resolver.ResolutionDelay = 0, 0
	require.NoError(t, cfg.Validate())
}

func TestConfigHasSnakeCaseKeys(t *testing.T) {
	cfg := transport.DefaultConfig()
	require.NoError(t, yaml.UnmarshalWithOptions([]byte(
		"max_idle_conns_per_host: 7\nhttp2: false\nidle_conn_timeout: 20s\nresolver: {ttl: 5s, max_hosts: 9}\n"), &cfg, yaml.Strict()))
	require.Equal(t, 7, cfg.MaxIdleConnsPerHost)
	require.Equal(t, 20*time.Second, cfg.IdleConnTimeout)
	require.False(t, cfg.HTTP2)
	require.Equal(t, 5*time.Second, cfg.Resolver.TTL)
	require.Equal(t, 9, cfg.Resolver.MaxHosts)
	require.Equal(t, time.Hour, cfg.Resolver.Stale, "what is not named keeps its default")
}
