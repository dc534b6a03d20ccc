package figures_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/docs/benchmarks/internal/figures"
)

const ms = time.Millisecond

func at(times ...int) []time.Duration {
	var out []time.Duration
	for _, t := range times {
		out = append(out, time.Duration(t)*ms)
	}
	return out
}

func TestQuantiles(t *testing.T) {
	for name, c := range map[string]struct {
		times []time.Duration
		want  []float64
	}{
		"nothing":            {nil, []float64{0, 0, 0}},
		"one":                {at(7), []float64{7, 7, 7}},
		"in any order":       {at(30, 10, 20), []float64{10, 20, 30}},
		"the nearest is one": {at(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), []float64{1, 6, 10}},
	} {
		require.Equal(t, c.want, figures.Quantiles(c.times, 0, 0.5, 1), name)
	}
	unsorted := at(3, 1, 2)
	figures.Quantiles(unsorted, 0.5)
	require.Equal(t, at(3, 1, 2), unsorted, "its argument is left alone")
}

func TestJain(t *testing.T) {
	for name, c := range map[string]struct {
		shares []float64
		want   float64
	}{
		"all alike":           {[]float64{3, 3, 3, 3}, 1},
		"one has everything":  {[]float64{8, 0, 0, 0}, 0.25},
		"half have all":       {[]float64{1, 1, 0, 0}, 0.5},
		"the unit is no help": {[]float64{1000, 1000, 0, 0}, 0.5},
		"nobody has anything": {[]float64{0, 0}, 1},
		"nobody":              {nil, 1},
	} {
		require.InDelta(t, c.want, figures.Jain(c.shares), 1e-12, name)
	}
}
