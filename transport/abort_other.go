//go:build !linux

package transport

import (
	"context"
	"syscall"
	"time"
)

// abortAfter does nothing where there is no TCP_USER_TIMEOUT.
func abortAfter(time.Duration) func(context.Context, string, string, syscall.RawConn) error {
	return nil
}
