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

func TestCeilingIsWhatAPerfectQueueServes(t *testing.T) {
	for name, c := range map[string]struct {
		arrivals []time.Duration
		deadline time.Duration
		slots    int
		want     int
	}{
		"nobody":                                  {nil, 100 * ms, 1, 0},
		"as they come":                            {at(0, 50, 100), 50 * ms, 1, 3},
		"both at once, one slot, no time":         {at(0, 0), 50 * ms, 1, 1},
		"both at once, one slot, time":            {at(0, 0), 100 * ms, 1, 2},
		"both at once, two slots":                 {at(0, 0), 50 * ms, 2, 2},
		"who is hopeless takes no slot":           {at(0, 0, 0, 50), 60 * ms, 1, 2},
		"the service is longer than anyone waits": {at(0, 10), 40 * ms, 5, 0},
	} {
		require.Equal(t, c.want, figures.Ceiling(c.arrivals, c.deadline, c.slots, 50*ms), name)
	}
}

// A flat overload has a ceiling that can be computed by hand: what the slots can
// do during the load and one deadline longer.
func TestCeilingOfAFlatLoad(t *testing.T) {
	var arrivals []time.Duration
	for i := range 8000 {
		arrivals = append(arrivals, time.Duration(i)*ms)
	}
	require.InDelta(t, 400*(8+2), figures.Ceiling(arrivals, 2*time.Second, 20, 50*ms), 25)
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
