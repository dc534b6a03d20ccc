package hedge_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestConformance(t *testing.T) {
	with := func(delay time.Duration) func(testing.TB) middleware.Middleware {
		return func(tb testing.TB) middleware.Middleware {
			stage := newStage(tb, config(func(c *hedge.Config) {
				c.Delay, c.NonIdempotent, c.MaxHedges = delay, true, 2
			}))
			tb.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				require.NoError(tb, stage.Stop(ctx))
			})
			return stage.Wrap
		}
	}
	t.Run("without copies", func(t *testing.T) { middlewaretest.Run(t, with(time.Hour)) })
	t.Run("with copies of nearly everything", func(t *testing.T) {
		twice := "a copy is a second request to the upstream, and traced as one"
		middlewaretest.Run(t, with(100*time.Microsecond),
			middlewaretest.Without("request_arrives", twice),
			middlewaretest.Without("informational", twice),
			middlewaretest.Without("expect_continue", twice))
	})
}
