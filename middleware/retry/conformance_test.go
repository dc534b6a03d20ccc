package retry_test

import (
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/retry"
)

func TestConformance(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		cfg := retry.DefaultConfig()
		cfg.BaseDelay = time.Millisecond
		stage, err := retry.New(cfg)
		if err != nil {
			tb.Fatal(err)
		}
		return stage.Wrap
	})
}
