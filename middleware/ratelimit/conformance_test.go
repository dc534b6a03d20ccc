package ratelimit_test

import (
	"testing"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func TestConformance(t *testing.T) {
	middlewaretest.Run(t, func(tb testing.TB) middleware.Middleware {
		// Most requests pass at once, the rest wait for a moment.
		return newStage(tb, config(func(cfg *ratelimit.Config) { cfg.Requests, cfg.Burst = 2000, 8 })).Wrap
	}, middlewaretest.Refuses(func(tb testing.TB) middleware.Middleware {
		l := newStage(tb, config(func(cfg *ratelimit.Config) { cfg.Per, cfg.Queue, cfg.Key = 10*time.Hour, 0, middleware.KeyShared }))
		if err := get(tb.Context(), l.Wrap(newUpstream()), "http://a/"); err != nil {
			tb.Fatal(err)
		}
		return l.Wrap
	}))
}
