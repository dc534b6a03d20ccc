package circuitbreaker_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

func TestTheDefaultsAreValid(t *testing.T) {
	require.NoError(t, circuitbreaker.DefaultConfig().Validate())
}

func TestAnEmptyConfigurationIsRefused(t *testing.T) {
	_, err := circuitbreaker.New(circuitbreaker.Config{})
	require.ErrorContains(t, err, "DefaultConfig")
}

func TestEverythingWrongIsReportedAtOnce(t *testing.T) {
	_, err := circuitbreaker.New(circuitbreaker.Config{
		FailureRate: 1.5, MinCalls: -1, Window: -1, WindowCalls: 1 << 20, ConsecutiveFailures: -1,
		SlowCall: 1, SlowCallRate: math.NaN(), Failures: []string{"neutral"},
		OpenFor: -1, OpenGrowth: math.Inf(1), MaxOpenFor: -2, Key: "x",
	})
	require.ErrorContains(t, err, "circuit_breaker: ")
	for _, key := range []string{
		"failure_rate", "min_calls", "window", "window_calls", "consecutive_failures", "slow_call_rate", "failures",
		"open_for", "open_growth", "max_open_for", "probes", "probe_successes", "probe_lease", "key", "max_keys",
	} {
		require.Regexp(t, `(?m)(^|: )`+key+`: \S+ .+`, err.Error())
	}
}

func TestValidation(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*circuitbreaker.Config)
		problem string // "" for none
	}{
		"a share that is no number":     {func(c *circuitbreaker.Config) { c.FailureRate = math.NaN() }, "failure_rate: NaN is not a share"},
		"nothing that opens it":         {func(c *circuitbreaker.Config) { c.FailureRate, c.ConsecutiveFailures = 0, 0 }, "nothing would open the breaker"},
		"failures in a row alone":       {func(c *circuitbreaker.Config) { c.FailureRate = 0 }, ""},
		"slow calls alone":              {func(c *circuitbreaker.Config) { c.FailureRate, c.ConsecutiveFailures, c.SlowCall = 0, 0, 1 }, ""},
		"slow calls off, without share": {func(c *circuitbreaker.Config) { c.SlowCallRate = 0 }, ""},
		"a negative slow call":          {func(c *circuitbreaker.Config) { c.SlowCall = -time.Second }, "slow_call: -1s is negative"},
		"a window below min_calls":      {func(c *circuitbreaker.Config) { c.WindowCalls = 19 }, "window_calls: 19 is fewer than min_calls, 20"},
		"no verdict is a failure":       {func(c *circuitbreaker.Config) { c.Failures = nil }, "failures: empty; write for example [failure, busy]"},
		"an unknown verdict":            {func(c *circuitbreaker.Config) { c.Failures = []string{"oops"} }, `failures: "oops" can't count`},
		"a bound below the open time":   {func(c *circuitbreaker.Config) { c.MaxOpenFor = time.Second }, "max_open_for: 1s is shorter than open_for, 5s"},
		"shrinking open times":          {func(c *circuitbreaker.Config) { c.OpenGrowth = 0.5 }, "open_growth: 0.5 is out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			err := config(c.change).Validate()
			if c.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.problem)
				require.Equal(t, 1, strings.Count(err.Error(), "\n")+1, "nothing else is wrong")
			}
		})
	}
}

func TestSettingsInYAML(t *testing.T) {
	cfg := circuitbreaker.DefaultConfig()
	require.NoError(t, yaml.UnmarshalWithOptions([]byte(`
failure_rate: 0.3
min_calls: 50
window: 1m
window_calls: 100
consecutive_failures: 5
slow_call: 2s
slow_call_rate: 0.9
failures: [failure, busy, pushback]
open_for: 1s
open_growth: 1.5
max_open_for: 2m
probes: 3
probe_successes: 2
probe_lease: 10s
key: shared
max_keys: 8
`), &cfg, yaml.Strict()))
	require.Equal(t, circuitbreaker.Config{
		FailureRate: 0.3, MinCalls: 50, Window: time.Minute, WindowCalls: 100, ConsecutiveFailures: 5,
		SlowCall: 2 * time.Second, SlowCallRate: 0.9, Failures: []string{"failure", "busy", "pushback"},
		OpenFor: time.Second, OpenGrowth: 1.5, MaxOpenFor: 2 * time.Minute,
		Probes: 3, ProbeSuccesses: 2, ProbeLease: 10 * time.Second, Key: "shared", MaxKeys: 8,
	}, cfg)
	require.NoError(t, cfg.Validate())
}
