package semaphore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// filled is the summary of answers that took so many milliseconds, each with n in use.
func filled(n int64, took ...int) summary {
	var w window
	for _, ms := range took {
		w.add(answer{grant: grant{inUse: n}, took: time.Duration(ms) * time.Millisecond}, len(took))
	}
	return w.summary()
}

func TestSummaryOfAWindow(t *testing.T) {
	const ms = float64(time.Millisecond)
	for _, tt := range []struct {
		name  string
		took  []int
		mean  float64 // milliseconds
		noise float64
	}{
		{"all alike", []int{50, 50, 50, 50, 50, 50, 50, 50}, 50, 0},
		{"a half had to wait", []int{50, 100, 50, 100, 50, 100, 50, 100}, 75, 0.118},
		{"an outlier counts for two", []int{50, 50, 50, 50, 50, 50, 50, 60000}, 56.25, 0.104},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := filled(5, tt.took...)
			require.InDelta(t, tt.mean*ms, s.took, 1)
			require.InDelta(t, tt.noise, s.noise, 0.001)
			require.InDelta(t, 5/(tt.mean*ms), s.rate(), 1e-12)
		})
	}
}

func TestWindowIsARoundTripWithinBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.IntRange(-1, 1000).Draw(t, "want")
		var w window
		n := 1
		for !w.add(answer{grant: grant{inUse: 1}, took: time.Duration(n)}, want) {
			n++
		}
		require.Equal(t, min(64, max(8, want)), n)
		s := w.summary()
		require.InDelta(t, float64(n+1)/2, s.took, 1e-6)
		require.GreaterOrEqual(t, s.noise, 0.0)
		require.False(t, w.add(answer{took: 1}, want), "it is empty again")
	})
}
