package redis_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/cachestore/redis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers are what the tests run against: a stand-in, and a real server where there is one.
var servers = map[string]func(t testing.TB) (address string){
	"miniredis":    func(t testing.TB) string { return miniredis.RunT(t).Addr() },
	"redis-server": startServer,
}

func onEachServer(t *testing.T, test func(t *testing.T, address string)) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// startServer starts a redis-server on a free port of this machine, without persistence.
func startServer(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed (Debian, Ubuntu: apt-get install redis-server); miniredis stands in for it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	cmd := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address := "127.0.0.1:" + port
	client := newClient(t, address)
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 20*time.Second, 10*time.Millisecond)
	return address
}

func newClient(t testing.TB, address string) *goredis.Client {
	t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: address, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// config has the time that a busy machine may need.
func config() redis.Config {
	cfg := redis.DefaultConfig()
	cfg.Timeout = 10 * time.Second
	return cfg
}

func newStore(t testing.TB, client goredis.UniversalClient, cfg redis.Config) *redis.Store {
	t.Helper()
	s, err := redis.New(client, cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}

func keysOf(t testing.TB, c *goredis.Client) []string {
	t.Helper()
	keys, err := c.Keys(context.Background(), "*").Result()
	require.NoError(t, err)
	return keys
}

func prefix(n int) string { return fmt.Sprintf("test-%d:", n) }
