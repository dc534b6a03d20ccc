package timeout_test

import (
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/timeout"
)

func TestConformance(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		stage, err := timeout.New(timeout.DefaultConfig())
		if err != nil {
			tb.Fatal(err)
		}
		return stage.Wrap
	})
}
