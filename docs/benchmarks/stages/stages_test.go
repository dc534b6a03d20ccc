package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const printed = `goos: linux
cpu: Some CPU
BenchmarkSerial/base/stub-2                     1000000   100.0 ns/op   64 B/op   1 allocs/op
BenchmarkSerial/base/stub-2                     1000000   300.0 ns/op   64 B/op   1 allocs/op
BenchmarkSerial/base/stub-2                     1000000   110.0 ns/op   64 B/op   1 allocs/op
BenchmarkSerial/base/chain-2                    1000000   400.0 ns/op   64 B/op   3 allocs/op
BenchmarkSerial/retry/Headgate-2                1000000   450.0 ns/op   64 B/op   4 allocs/op
BenchmarkSerial/retry/Headgate,+in+a+chain-2    1000000   420.0 ns/op   64 B/op   3 allocs/op
BenchmarkSerial/retry/go-peer                   1000000   150.0 ns/op   64 B/op   2 allocs/op
BenchmarkSerial/refusal/Headgate-2              1000000     9.5 ns/op   64 B/op   0 allocs/op
BenchmarkContended/base/stub-2                  1000000    50.0 ns/op   64 B/op   1 allocs/op
BenchmarkContended/retry/go-peer                1000000    80.0 ns/op   64 B/op   2 allocs/op
PASS
`

func TestParseTakesTheBest(t *testing.T) {
	all, err := parse(strings.NewReader(printed))
	require.NoError(t, err)
	require.Len(t, all, 8)
	require.Equal(t, measured{stage: "base", client: "stub", ns: 100, allocs: 1}, all[0])
	require.Equal(t, measured{stage: "retry", client: "Headgate, in a chain", ns: 420, allocs: 3}, all[3])
	require.Equal(t, measured{stage: "retry", client: "go-peer", contended: true, ns: 80, allocs: 2}, all[7])
}

func TestParseNeedsBenchmarks(t *testing.T) {
	_, err := parse(strings.NewReader("PASS\n"))
	require.ErrorContains(t, err, "no benchmark")
}

func TestTableIsOverTheBase(t *testing.T) {
	all, err := parse(strings.NewReader(printed))
	require.NoError(t, err)
	require.Equal(t, [][]string{
		{"base", "stub", "100 ns", "1", "", "50 ns", ""},
		{"base", "chain", "400 ns", "3", ""},
		{"retry", "Headgate", "350 ns", "3", ""},
		{"retry", "Headgate, in a chain", "20 ns", "0", ""},
		{"retry", "go-peer", "50 ns", "1", "2.5", "30 ns", ""},
		{"refusal", "Headgate", "9.5 ns", "0", ""},
	}, table(all).Rows)
}

func TestBadFlag(t *testing.T) {
	require.Error(t, run(t.Context(), []string{"-nonsense"}, &strings.Builder{}, &strings.Builder{}))
	require.NoError(t, run(t.Context(), []string{"-h"}, &strings.Builder{}, &strings.Builder{}))
}

// Every client of every stage answers, so that no benchmark measures an error.
func TestRigsAnswer(t *testing.T) {
	for _, r := range rigs(t) {
		if r.stage == refusal {
			_, err := r.rt.RoundTrip(request())
			require.Error(t, err, r.client)
			continue
		}
		for range 3 {
			require.NoError(t, call(r.rt, request()), "%s %s", r.stage, r.client)
		}
	}
}
