package quantile_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/headgate-go/headgate/middleware/internal/quantile"
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

func BenchmarkAdd(b *testing.B) {
	w := quantile.New(0.95)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.Add(time.Duration(i * 7919 % 1000))
	}
}
