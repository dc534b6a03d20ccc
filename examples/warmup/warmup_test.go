package main

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func figures(t *testing.T, args ...string) map[string]Result {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), append(args, "-json"), &out, io.Discard))
	var all []Result
	require.NoError(t, json.Unmarshal(out.Bytes(), &all))
	byName := map[string]Result{}
	for _, r := range all {
		byName[r.Client+" "+r.Protocol] = r
	}
	return byName
}

func TestWarmedClientsNeedFewHandshakesAndTheirFirstRequestIsWarm(t *testing.T) {
	all := figures(t, "-requests", "800", "-callers", "32", "-firsts", "3")
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2"} {
		before, now := all["net/http "+protocol], all["headgate "+protocol]
		t.Logf("%s: %d -> %d handshakes; first request %v -> %v, warm %v", protocol, before.Handshakes, now.Handshakes, before.First, now.First, now.Warm)
		require.GreaterOrEqual(t, before.First, lookupTakes+connectTakes+handshakeTakes+answerTakes)
		// A busy machine adds to an answer, but not what a cold connection takes.
		require.Less(t, now.First, lookupTakes+connectTakes+handshakeTakes+answerTakes)
	}
	require.LessOrEqual(t, float64(all["headgate HTTP/2"].Handshakes), 0.1*float64(all["net/http HTTP/2"].Handshakes))
	require.LessOrEqual(t, float64(all["headgate HTTP/1.1"].Handshakes), 0.1*float64(all["net/http HTTP/1.1"].Handshakes))
}

func TestFlagsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-callers", "0"}, {"-callers", "257"}, {"-requests", "0"}, {"-firsts", "0"}, {"-nonsense"}} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), "%v", args)
	}
	require.NoError(t, run(t.Context(), []string{"-h"}, io.Discard, io.Discard))
}
