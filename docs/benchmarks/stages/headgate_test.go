package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/middleware/timeout"
	"github.com/headgate-go/headgate/pipeline"
)

type headgateStage struct {
	name string
	wrap middleware.Middleware
}

// plenty is a rate that nobody ever waits for.
const plenty = 1_000_000_000

// stages are Headgate's with their defaults, but for a rate and a number of permits
// that nobody waits for.
func stages(tb testing.TB) []headgateStage {
	tb.Helper()
	repeat, err := retry.New(retry.DefaultConfig())
	require.NoError(tb, err)
	breaker, err := circuitbreaker.New(circuitbreaker.DefaultConfig())
	require.NoError(tb, err)
	limits := ratelimit.DefaultConfig()
	limits.Requests, limits.Burst = plenty, plenty
	rate, err := ratelimit.New(limits)
	require.NoError(tb, err)
	permits := semaphore.DefaultConfig()
	permits.Limit, permits.MaxConcurrent = semaphore.LimitFixed, 1024
	fixed, err := semaphore.New(permits)
	require.NoError(tb, err)
	found := semaphore.DefaultConfig()
	found.InitialConcurrent = 1000
	adaptive, err := semaphore.New(found)
	require.NoError(tb, err)
	limit, err := timeout.New(timeout.DefaultConfig())
	require.NoError(tb, err)
	return []headgateStage{
		{"retry", repeat.Wrap},
		{"circuit_breaker", breaker.Wrap},
		{"rate_limit", rate.Wrap},
		{"semaphore, fixed", fixed.Wrap},
		{"semaphore, adaptive", adaptive.Wrap},
		{"timeout", limit.Wrap},
	}
}

// openable gives a breaker that stays open.
func openable(tb testing.TB) middleware.Middleware {
	tb.Helper()
	cfg := circuitbreaker.DefaultConfig()
	cfg.OpenFor, cfg.MaxOpenFor = time.Hour, time.Hour
	breaker, err := circuitbreaker.New(cfg)
	require.NoError(tb, err)
	return breaker.Wrap
}

// full is the standard preset; POST bypasses its cache.
func full(tb testing.TB, base http.RoundTripper) http.RoundTripper {
	tb.Helper()
	p, err := pipeline.New("full", pipeline.Config{
		Extends: "standard",
		Stages: map[string]any{
			"rate_limit": map[string]any{"requests": plenty, "burst": plenty},
			"semaphore":  map[string]any{"limit": "fixed", "max_concurrent": 1024},
		},
	}, pipeline.WithBase(base))
	require.NoError(tb, err)
	return p
}
