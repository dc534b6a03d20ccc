package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// both are the protocols, and whether they are HTTP/2.
var both = map[string]bool{"HTTP/1.1": false, "HTTP/2": true}

// How many handshakes there are does not depend on what they take, so the network is a
// fast one; only the answer takes long enough for the callers to be there together.
func TestWarmedClientsNeedFewHandshakes(t *testing.T) {
	t.Parallel()
	for name, http2 := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handshakes := make(map[string]float64)
			for _, m := range []maker{plain, headgate} {
				u := newUpstream(network{answer: 50 * time.Millisecond}, http2)
				_, err := count(t.Context(), m, u, 260, 20)
				u.srv.Close()
				require.NoError(t, err)
				handshakes[m.name] = float64(u.handshakes.Load())
			}
			t.Logf("handshakes: %v", handshakes)
			require.LessOrEqual(t, handshakes["headgate"], 0.1*handshakes["net/http"])
		})
	}
}

func TestTheFirstRequestOfAWarmedClientIsWarm(t *testing.T) {
	t.Parallel()
	n := slow()
	cold := n.lookup + n.connect + n.handshake + n.answer
	warm := n.answer + min(n.lookup, n.connect, n.handshake)
	for name, http2 := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(n, http2)
			defer u.srv.Close()
			before, _, err := single(t.Context(), plain, u)
			require.NoError(t, err)
			require.GreaterOrEqual(t, before, cold)

			// A busy machine only adds, so the best of some counts.
			best := cold
			for tries := 0; tries < 5 && best >= warm; tries++ {
				first, _, err := single(t.Context(), headgate, u)
				require.NoError(t, err)
				best = min(best, first)
			}
			t.Logf("%v -> %v", before, best)
			require.Less(t, best, warm, "not even the shortest step was paid")
		})
	}
}

func TestTheProgramPrintsATableAndReports(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-requests", "1", "-callers", "1", "-firsts", "1", "-report"}, &out, io.Discard))
	for _, part := range []string{"headgate", "net/http", "HTTP/1.1", "HTTP/2", "headgate, HTTP/2, transport:\n", "\"handshakes\":1,"} {
		require.Contains(t, out.String(), part)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-callers", "0"}, {"-callers", "257"}, {"-requests", "0"}, {"-firsts", "0"}, {"-nonsense"}} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), "%v", args)
	}
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}
