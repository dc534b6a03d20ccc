package hedge_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/hedge"
)

func TestDefaultsAreValid(t *testing.T) {
	require.NoError(t, hedge.DefaultConfig().Validate())
	_, err := hedge.New(hedge.DefaultConfig())
	require.NoError(t, err)
}

func TestTheEmptyConfigurationIsRefused(t *testing.T) {
	_, err := hedge.New(hedge.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	_, err := hedge.New(hedge.Config{
		Delay: -1, Percentile: 1, MinSamples: 129, MaxHedges: 0, Budget: 1.5, BudgetFloor: -1, BudgetWindow: time.Microsecond,
		MaxInFlight: 0, ReplayBuffer: -1, KeepResponse: -2, Pause: -time.Second, MaxPause: -time.Minute, Key: "host", MaxKeys: 0,
	})
	for _, want := range []string{
		"hedge: delay: -1ns would send every request twice",
		"percentile: 1 is not a share below 1",
		"min_samples: 129 is out of range; it goes from 1 to 128",
		"max_hedges: 0 copies are none",
		"budget: 1.5 is not a share",
		"budget_floor: -1 is negative",
		"budget_window: 1µs is too short",
		"max_in_flight: 0 never sends a copy",
		"replay_buffer: -1 is negative",
		"keep_response: -2 is negative",
		"pause: -1s is negative",
		"max_pause: -1m0s is less than pause",
		`key: "host" is unknown; it can be "authority", "model" or "shared"`,
		"max_keys: 0 is too small",
	} {
		require.ErrorContains(t, err, want)
	}
	cfg := hedge.DefaultConfig()
	cfg.Budget, cfg.BudgetFloor = 0, 0
	require.ErrorContains(t, cfg.Validate(), "budget: 0 without a budget_floor")
}
