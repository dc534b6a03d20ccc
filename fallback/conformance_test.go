package fallback_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestConformance(t *testing.T) {
	stage := func(cfg fallback.Config) func(testing.TB) middleware.Middleware {
		return func(tb testing.TB) middleware.Middleware {
			f, err := fallback.New(cfg, fallback.WithAnswer("failing", fallback.Func(failing)))
			require.NoError(tb, err)
			return f.Wrap
		}
	}
	const masks = "an answer takes the place of the error, which is what it is for"
	t.Run("without answers", func(t *testing.T) { middlewaretest.Run(t, stage(fallback.DefaultConfig())) })
	t.Run("answers that fail", func(t *testing.T) { middlewaretest.Run(t, stage(with(named("failing")))) })
	t.Run("static", func(t *testing.T) {
		middlewaretest.Run(t, stage(with(sorry)),
			middlewaretest.Without("error_unwraps", masks),
			middlewaretest.Without("deadline", masks),
		)
	})
}
