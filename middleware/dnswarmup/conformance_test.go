package dnswarmup_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestConformance(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		w, err := dnswarmup.New(config("a"), dnswarmup.WithWarmer(&fake{}))
		require.NoError(tb, err)
		require.NoError(tb, w.Start(tb.Context()))
		tb.Cleanup(func() { require.NoError(tb, w.Stop(context.Background())) })
		return w.Wrap
	})
}
