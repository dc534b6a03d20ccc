package middleware

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAnInstantIsTheTimeThatItWasMadeOf(t *testing.T) {
	for _, d := range []time.Duration{0, 1, time.Minute, 100 * 365 * 24 * time.Hour} {
		at := time.Now().Add(d)
		require.True(t, at.Equal(instantOf(at).time()), d)
		require.False(t, instantOf(at).bubbled(), d)
	}
}

func TestAnInstantWithoutAMonotonicReadingIsAsFarFromNow(t *testing.T) {
	before := sinceEpoch()
	at := instantOf(time.Now().Add(time.Hour).Round(0))
	require.InDelta(t, float64(before)+float64(time.Hour), float64(at), float64(time.Second))
}

func TestAnInstantThatIsTooFarAwayIsNever(t *testing.T) {
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, never, instantOf(far))
}

func TestAnInstantOfABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(time.Minute)
		i := instantOf(at)
		require.True(t, i.bubbled())
		require.Equal(t, at, i.time())
		time.Sleep(time.Minute)
		require.Equal(t, sinceEpoch(), i)
	})
}
