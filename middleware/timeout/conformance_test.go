package timeout_test

import (
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func TestConformance(t *testing.T) {
	for _, until := range untils {
		t.Run(until, func(t *testing.T) {
			middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
				return newStage(tb, 30*time.Second, until, nil).Wrap
			})
		})
	}
}
