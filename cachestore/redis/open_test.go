package redis_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/redis"
)

func serverConfig(addresses ...string) redis.ServerConfig {
	cfg := redis.DefaultServerConfig()
	cfg.Config, cfg.Addresses = config(), addresses
	return cfg
}

func TestOpenMakesAClientOfItsOwn(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("app", "secret")
	cfg := serverConfig(server.Addr())
	cfg.Username, cfg.Password, cfg.Database = "app", "secret", 3
	s, err := redis.Open(cfg)
	require.NoError(t, err)
	require.Zero(t, server.TotalConnectionCount(), "nothing connects yet")

	require.NoError(t, s.Set(t.Context(), "key", "value"))
	got, err := s.Get(t.Context(), "key")
	require.NoError(t, err)
	require.Equal(t, "value", string(got.([]byte)))
	require.Len(t, server.DB(3).Keys(), 1)

	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "twice")
	require.ErrorIs(t, s.Set(t.Context(), "key", "value"), cachestore.ErrStopped)
	require.Eventually(t, func() bool { return server.CurrentConnectionCount() == 0 }, 10*time.Second, time.Millisecond)
}

func TestOpenDoesNoIO(t *testing.T) {
	quick := func(addresses ...string) redis.ServerConfig {
		cfg := serverConfig(addresses...)
		cfg.Timeout = 50 * time.Millisecond
		return cfg
	}
	for name, addresses := range map[string][]string{"a server": {"127.0.0.1:1"}, "a cluster": {"127.0.0.1:1", "127.0.0.1:2"}} {
		t.Run(name, func(t *testing.T) {
			s, err := redis.Open(quick(addresses...))
			require.NoError(t, err)
			require.ErrorIs(t, s.Set(t.Context(), "key", "value"), cachestore.ErrStore)
			require.ErrorIs(t, s.Clear(t.Context()), cachestore.ErrStore)
			require.NoError(t, s.Stop(t.Context()))
		})
	}
	t.Run("Sentinels", func(t *testing.T) {
		cfg := quick("127.0.0.1:1")
		cfg.MasterName, cfg.TLS = "main", true
		s, err := redis.Open(cfg)
		require.NoError(t, err)
		require.ErrorIs(t, s.Set(t.Context(), "key", "value"), cachestore.ErrStore)
		require.NoError(t, s.Stop(t.Context()))
	})
}

func TestWrongPasswordIsAnErrorThatDoesNotShowIt(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	cfg := serverConfig(server.Addr())
	cfg.Password = "hunter2"
	s, err := redis.Open(cfg)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	err = s.Set(t.Context(), "key", "value")
	require.ErrorIs(t, err, cachestore.ErrStore)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestServerConfigurationMistakesAreToldAllAtOnce(t *testing.T) {
	_, err := redis.Open(redis.ServerConfig{})
	require.ErrorContains(t, err, "DefaultConfig")
	require.EqualError(t, redis.DefaultServerConfig().Validate(), "addresses: it is empty; write for example [localhost:6379]")
	require.NoError(t, serverConfig("localhost:6379", "[::1]:6379").Validate())

	cfg := serverConfig("localhost", "localhost:0", "localhost:x")
	cfg.Database, cfg.PoolSize, cfg.Prefix = 2, 0, ""
	err = cfg.Validate()
	for _, says := range []string{
		`addresses: "localhost" `, `addresses: "localhost:0"`, `addresses: "localhost:x"`,
		"database: 2: a cluster", "pool_size: 0", `prefix: ""`,
	} {
		require.ErrorContains(t, err, says)
	}
	cfg.Database = -1
	require.ErrorContains(t, cfg.Validate(), "database: -1 is negative")
}
