package quantile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/semaphore/internal/quantile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestQuantileOfTheLastSamples(t *testing.T) {
	w := quantile.New(0.95)
	for i := range 15 {
		w.Add(time.Duration(i))
	}
	require.Zero(t, w.Value(), "too few samples to tell")
	for i := range 129 {
		w.Add(time.Duration(i + 1))
	}
	require.Equal(t, time.Duration(123), w.Value())
	for range 144 {
		w.Add(time.Second)
	}
	require.Equal(t, time.Second, w.Value(), "what is old is forgotten")
}

func TestAFallIsFollowedByAndBy(t *testing.T) {
	w := quantile.New(0.95)
	add := func(n int, d time.Duration) {
		for range n {
			w.Add(d)
		}
	}
	add(128, 2*time.Second)
	add(128, time.Second)
	require.InDelta(t, 15.0/16*float64(time.Second), float64(w.Value()-time.Second), 10, "the last slow ones have just left")
	add(256, time.Second)
	require.InDelta(t, 0.35*float64(time.Second), float64(w.Value()-time.Second), 0.05*float64(time.Second))
	add(2048, time.Second)
	require.InDelta(t, float64(time.Second), float64(w.Value()), float64(time.Millisecond))
	add(32, 3*time.Second)
	require.Equal(t, 3*time.Second, w.Value(), "a rise is followed at once")
}

func BenchmarkAdd(b *testing.B) {
	w := quantile.New(0.95)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.Add(time.Duration(i * 7919 % 1000))
	}
}
