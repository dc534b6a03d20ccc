package loadtest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/middlewaretest/loadtest"
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
		require.Equal(t, c.want, loadtest.Ceiling(c.arrivals, c.deadline, c.slots, 50*ms), name)
	}
}

// A flat overload has a ceiling that can be computed by hand: what the slots can
// do during the load and one deadline longer.
func TestCeilingOfAFlatLoad(t *testing.T) {
	var arrivals []time.Duration
	for i := range 8000 {
		arrivals = append(arrivals, time.Duration(i)*ms)
	}
	require.InDelta(t, 400*(8+2), loadtest.Ceiling(arrivals, 2*time.Second, 20, 50*ms), 25)
}
