package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEveryClientCaches(t *testing.T) {
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			base := sized(1 << 10)
			rt := c.over(base)
			for range 3 {
				require.NoError(t, fetch(rt, "one", true))
			}
			require.EqualValues(t, 1, base.requests.Load())
			require.NoError(t, fetch(rt, "two", true))
			require.EqualValues(t, 2, base.requests.Load())
		})
	}
}

func TestHeadgateAsksOnceForACrowd(t *testing.T) {
	requests, err := herd(clients()[0], 20)
	require.NoError(t, err)
	require.EqualValues(t, 1, requests)
}

func TestHeadgateDoesNotHoldTheFirstByteBack(t *testing.T) {
	const pause = 200 * time.Millisecond
	first, err := firstByte(clients()[0], pause)
	require.NoError(t, err)
	require.GreaterOrEqual(t, first, pause)
	require.Less(t, first, 2*pause, "the second half has not come")
}

func TestHeadgateFromColdAsksOnceForEachResource(t *testing.T) {
	got, err := fromCold(clients()[0], 10, 50, time.Millisecond)
	require.NoError(t, err)
	require.LessOrEqual(t, got.upstream, int64(500))
	require.LessOrEqual(t, got.p50, got.p99)
}
