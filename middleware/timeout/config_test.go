package timeout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/timeout"
)

func TestConfiguration(t *testing.T) {
	require.NoError(t, timeout.DefaultConfig().Validate())
	for _, until := range untils {
		require.NoError(t, timeout.Config{Limit: 1, Until: until}.Validate())
	}
	_, err := timeout.New(timeout.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
	_, err = timeout.New(timeout.Config{Limit: -time.Second, Until: "idle"})
	require.ErrorContains(t, err, "limit: -1s")
	require.ErrorContains(t, err, `until: "idle" is unknown; it can be one of connect, headers, content, body, progress`)
}

func TestReachable(t *testing.T) {
	always := map[string]string{ // of a longer limit, within a shorter one
		timeout.UntilConnect:  "",
		timeout.UntilHeaders:  "connect",
		timeout.UntilContent:  "connect headers",
		timeout.UntilBody:     "connect headers content",
		timeout.UntilProgress: "connect headers content",
	}
	for inner, within := range always {
		for _, outer := range untils {
			t.Run(inner+" within "+outer, func(t *testing.T) {
				short, long := timeout.Config{Limit: time.Second, Until: outer}, timeout.Config{Limit: time.Minute, Until: inner}
				want := outer == timeout.UntilProgress && inner != timeout.UntilProgress
				for _, w := range strings.Fields(within) {
					want = want || w == outer
				}
				require.Equal(t, want, long.Reachable(short))
				require.True(t, short.Reachable(long), "the shorter one always")
				require.True(t, timeout.Config{Limit: time.Second, Until: inner}.Reachable(short), "one of the same length")
			})
		}
	}
}

func TestErrors(t *testing.T) {
	for until, want := range map[string]string{
		timeout.UntilConnect:  "timeout/x: no connection within 30s",
		timeout.UntilHeaders:  "timeout/x: no headers within 30s",
		timeout.UntilContent:  "timeout/x: no content within 30s",
		timeout.UntilProgress: "timeout/x: no progress for 30s",
		timeout.UntilBody:     "timeout/x: not complete within 30s",
	} {
		err := fmt.Errorf("wrapped: %w", &timeout.Error{Stage: "timeout/x", Limit: 30 * time.Second, Until: until})
		require.EqualError(t, errors.Unwrap(err), want)
		require.ErrorIs(t, err, timeout.ErrTimeout)
		require.NotErrorIs(t, err, timeout.ErrTooLate)
	}
}
