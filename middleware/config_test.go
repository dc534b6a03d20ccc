package middleware_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
)

type gateConfig struct {
	Max  int
	Name string
}

func (c gateConfig) Validate() error {
	var p middleware.Problems
	p.Check(c.Max >= 1, "max", "%d is too small; 1 lets one request pass at a time", c.Max)
	p.Check(c.Name != "", "name", "is empty")
	return p.Err()
}

func TestValidate(t *testing.T) {
	require.NoError(t, middleware.Validate("gate", gateConfig{Max: 1, Name: "a"}))

	t.Run("an empty configuration points to DefaultConfig", func(t *testing.T) {
		for _, empty := range []interface{ Validate() error }{gateConfig{}, (*gateConfig)(nil), nil} {
			err := middleware.Validate("gate", empty)
			require.EqualError(t, err, "gate: the configuration is empty; begin with DefaultConfig()")
		}
	})
	t.Run("all that is wrong is said at once, under the stage's name", func(t *testing.T) {
		err := middleware.Validate("gate", gateConfig{Max: -1})
		require.EqualError(t, err, "gate: max: -1 is too small; 1 lets one request pass at a time\nname: is empty")
		var problem *middleware.ConfigError
		require.ErrorAs(t, err, &problem)
		require.Equal(t, "max", problem.Name)
		require.Equal(t, "max", problem.Key())
	})
}

func TestProblems(t *testing.T) {
	var p middleware.Problems
	require.NoError(t, p.Err())
	p.Check(true, "max", "is fine")
	require.NoError(t, p.Err())
	p.Check(false, "max", "%d", 3)
	p = append(p, errBroken)
	require.ErrorIs(t, p.Err(), errBroken)
	joined, ok := p.Err().(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, joined.Unwrap(), 2)
	require.EqualError(t, joined.Unwrap()[0], "max: 3")
}
