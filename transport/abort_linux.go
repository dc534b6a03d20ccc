package transport

import (
	"context"
	"strings"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT (RFC 5482), which package syscall does not name.
const tcpUserTimeout = 0x12

// abortAfter has the kernel give a connection up when what was sent has gone
// unacknowledged for so long. Keep-alive probes do not help there: they are sent on
// silent connections only, and the kernel repeats lost data for a quarter of an hour.
func abortAfter(limit time.Duration) func(ctx context.Context, network, addr string, c syscall.RawConn) error {
	return func(_ context.Context, network, _ string, c syscall.RawConn) error {
		if limit <= 0 || !strings.HasPrefix(network, "tcp") {
			return nil
		}
		var err error
		if controlled := c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(limit.Milliseconds()))
		}); controlled != nil {
			return controlled
		}
		return err
	}
}
