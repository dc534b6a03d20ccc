package figures

import (
	"slices"
	"time"
)

// Quantiles gives the quantiles of the times in milliseconds, by the nearest
// rank; zeros if there is nothing. It does not change its argument.
func Quantiles(times []time.Duration, qs ...float64) []float64 {
	sorted := slices.Sorted(slices.Values(times))
	out := make([]float64, len(qs))
	if len(sorted) == 0 {
		return out
	}
	for i, q := range qs {
		out[i] = float64(sorted[int(q*float64(len(sorted)-1)+0.5)]) / float64(time.Millisecond)
	}
	return out
}
