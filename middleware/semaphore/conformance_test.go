package semaphore_test

import (
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/semaphore"
)

func TestConformance(t *testing.T) {
	for name, cfg := range map[string]semaphore.Config{"fixed": semaphore.DefaultConfig(), "adaptive": unbounded()} {
		t.Run(name, func(t *testing.T) {
			middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
				stage, err := semaphore.New(cfg)
				if err != nil {
					tb.Fatal(err)
				}
				return stage.Wrap
			})
		})
	}
}
