package main

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWarmedClientsNeedFewHandshakesAndTheirFirstRequestIsWarm(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var before, now Result
			var first, second error
			var both sync.WaitGroup
			both.Go(func() { before, first = measure(t.Context(), plain, http2, 260, 20, 1) })
			both.Go(func() { now, second = measure(t.Context(), headgate, http2, 260, 20, 1) })
			both.Wait()
			require.NoError(t, first)
			require.NoError(t, second)
			t.Logf("%s: %d -> %d handshakes; first request %v -> %v, warm %v", now.Protocol, before.Handshakes, now.Handshakes, before.First, now.First, now.Warm)
			require.LessOrEqual(t, float64(now.Handshakes), 0.1*float64(before.Handshakes))
			cold := lookupTakes + connectTakes + handshakeTakes + answerTakes
			require.GreaterOrEqual(t, before.First, cold)

			// A busy machine only adds, so the best of some counts.
			u := newUpstream(http2)
			defer u.srv.Close()
			best := cold
			for range 5 {
				first, _, err := single(t.Context(), headgate, u)
				require.NoError(t, err)
				best = min(best, first)
			}
			require.Less(t, best, answerTakes+min(lookupTakes, connectTakes, handshakeTakes), "not even the shortest step was paid")
		})
	}
}

func TestTheProgramPrintsATable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-requests", "1", "-callers", "1", "-firsts", "1"}, &out, io.Discard))
	for _, part := range []string{"headgate", "net/http", "HTTP/1.1", "HTTP/2"} {
		require.Contains(t, out.String(), part)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-callers", "0"}, {"-callers", "257"}, {"-requests", "0"}, {"-firsts", "0"}, {"-nonsense"}} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), "%v", args)
	}
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}
