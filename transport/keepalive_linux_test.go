package transport

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What the kernel is told, since a network that swallows packets can't be had in a test.
func TestTheKernelGivesDeadConnectionsUpWithinThirtySeconds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	for _, tc := range []struct {
		keepAlive time.Duration
		want      map[int]int // by option
	}{
		{DefaultConfig().KeepAlive, map[int]int{tcpUserTimeout: 28_000, syscall.TCP_KEEPIDLE: 14, syscall.TCP_KEEPINTVL: 5, syscall.TCP_KEEPCNT: 3}},
		{0, map[int]int{tcpUserTimeout: 0}},
	} {
		cfg := DefaultConfig()
		cfg.KeepAlive = tc.keepAlive
		c, err := systemDial(cfg)(t.Context(), "tcp", l.Addr().String())
		require.NoError(t, err)
		raw, err := c.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) {
			probes, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE)
			require.NoError(t, err)
			require.Equal(t, tc.keepAlive > 0, probes == 1)
			for option, want := range tc.want {
				got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, option)
				require.NoError(t, err)
				require.Equal(t, want, got, "option %d", option)
			}
		}))
		require.NoError(t, c.Close())
	}
}
