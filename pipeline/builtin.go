package pipeline

import (
	"context"
	"errors"
	"net/http"

	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/dnswarmup"
	"github.com/headgate-go/headgate/middleware/hedge"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/middleware/llm"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/middleware/timeout"
)

// builtins are the factories of the stages that Headgate brings.
func builtins() []Factory {
	return []Factory{
		Define("cache", httpcache.DefaultConfig, buildCache),
		Define("circuit_breaker", circuitbreaker.DefaultConfig, func(c circuitbreaker.Config, env Env) (Stage[circuitbreaker.Config], error) {
			s, err := circuitbreaker.New(c, circuitbreaker.WithReporter(env.Reporter()))
			stage, err := describe(s, err, func() any { return s.Stats() })
			stage.Keeps = func(old, c circuitbreaker.Config) bool { return old.Key == c.Key && old.MaxKeys == c.MaxKeys }
			return stage, err
		}),
		Define("dns_warmup", dnswarmup.DefaultConfig, buildDNSWarmup),
		Define("fallback", fallback.DefaultConfig, buildFallback),
		Define("hedge", hedge.DefaultConfig, buildHedge),
		Define("llm", llm.DefaultConfig, func(c llm.Config, env Env) (Stage[llm.Config], error) {
			s, err := llm.New(c, llm.WithReporter(env.Reporter()))
			stage, err := describe(s, err, func() any { return s.Stats() })
			stage.Keeps = func(old, c llm.Config) bool { return old.MaxKeys == c.MaxKeys }
			return stage, err
		}),
		Define("rate_limit", ratelimit.DefaultConfig, func(c ratelimit.Config, env Env) (Stage[ratelimit.Config], error) {
			s, err := ratelimit.New(c, ratelimit.WithReporter(env.Reporter()))
			stage, err := describe(s, err, func() any { return s.Stats() })
			stage.Keeps = func(old, c ratelimit.Config) bool { return old.Key == c.Key && old.MaxKeys == c.MaxKeys }
			return stage, err
		}),
		Define("retry", retry.DefaultConfig, buildRetry),
		Define("semaphore", semaphore.DefaultConfig, func(c semaphore.Config, env Env) (Stage[semaphore.Config], error) {
			s, err := semaphore.New(c, semaphore.WithReporter(env.Reporter()))
			stage, err := describe(s, err, func() any { return s.Stats() })
			stage.Keeps = func(old, c semaphore.Config) bool { return old.Key == c.Key && old.MaxKeys == c.MaxKeys }
			return stage, err
		}),
		Define("timeout", timeout.DefaultConfig, func(c timeout.Config, env Env) (Stage[timeout.Config], error) {
			s, err := timeout.New(c, timeout.WithReporter(env.Reporter()))
			return describe(s, err, func() any { return s.Stats() })
		}),
	}
}

// built is what all built-in stages have in common.
type built[C any] interface {
	Wrap(next http.RoundTripper) http.RoundTripper
	Update(C) error
}

func describe[C any](s built[C], err error, report func() any) (Stage[C], error) {
	if err != nil {
		return Stage[C]{}, err
	}
	return Stage[C]{
		Wrap:   s.Wrap,
		Update: func(c C) { _ = s.Update(c) }, // a stage has been built of it
		Report: report,
	}, nil
}

func buildRetry(c retry.Config, env Env) (Stage[retry.Config], error) {
	s, err := retry.New(c, retry.WithReporter(env.Reporter()))
	stage, err := describe(s, err, func() any { return s.Stats() })
	stage.Attempts = func(c retry.Config) int { return c.MaxAttempts }
	return stage, err
}

func buildHedge(c hedge.Config, env Env) (Stage[hedge.Config], error) {
	s, err := hedge.New(c, hedge.WithReporter(env.Reporter()))
	if err != nil {
		return Stage[hedge.Config]{}, err
	}
	stage, err := describe(s, err, func() any { return s.Stats() })
	stage.Stop = s.Stop
	stage.Attempts = func(c hedge.Config) int { return 1 + c.MaxHedges }
	stage.Keeps = func(old, c hedge.Config) bool { return old.Key == c.Key && old.MaxKeys == c.MaxKeys }
	return stage, err
}

// buildCache makes the cache over the store that the configuration names: the
// memory store is the stage's own, every other one is the pipeline's, or was handed to it.
func buildCache(c httpcache.Config, env Env) (Stage[httpcache.Config], error) {
	opts := []httpcache.Option{httpcache.WithReporter(env.Reporter())}
	var guarded *tiered.Store
	if c.Store != httpcache.StoreMemory {
		s, err := env.Store(c.Store)
		if err != nil {
			return Stage[httpcache.Config]{}, &middleware.ConfigError{Name: "store", Problem: err.Error()}
		}
		if guarded, err = guard(c, s, env); err != nil {
			return Stage[httpcache.Config]{}, &middleware.ConfigError{Name: "store", Problem: err.Error()}
		}
		if guarded != nil {
			s = guarded
		}
		opts = append(opts, httpcache.WithStore(s))
	}
	s, err := httpcache.New(c, opts...)
	stage, err := describe(s, err, func() any { return s.Stats() })
	stage.Stop, stage.Keeps = s.Stop, keepsGuard
	if guarded != nil {
		stage.Stop = func(ctx context.Context) error { return errors.Join(s.Stop(ctx), guarded.Stop(ctx)) }
	}
	if err == nil {
		stage.Stale, stage.Purger = s, s
	}
	return stage, err
}

func buildFallback(c fallback.Config, env Env) (Stage[fallback.Config], error) {
	opts := []fallback.Option{fallback.WithReporter(env.Reporter())}
	for name, a := range env.Answers {
		opts = append(opts, fallback.WithAnswer(name, a))
	}
	if env.Stale != nil {
		opts = append(opts, fallback.WithStaleSource(env.Stale))
	}
	s, err := fallback.New(c, opts...)
	stage, err := describe(s, err, func() any { return s.Stats() })
	stage.Attempts = func(c fallback.Config) int {
		n := 1
		for _, a := range c.Answers {
			if a.Upstream != nil {
				n++
			}
		}
		return n
	}
	// One that was built without a source can't have one later.
	stage.Keeps = func(_, c fallback.Config) bool { return env.Stale != nil || !c.NeedsStale() }
	return stage, err
}

func buildDNSWarmup(c dnswarmup.Config, env Env) (Stage[dnswarmup.Config], error) {
	s, err := dnswarmup.New(c, dnswarmup.WithWarmer(env.Warmer), dnswarmup.WithReporter(env.Reporter()))
	if err != nil {
		return Stage[dnswarmup.Config]{}, err
	}
	stage, err := describe(s, err, func() any { return s.Stats() })
	stage.Start, stage.Stop, stage.Ready = s.Start, s.Stop, s.Ready
	stage.Keeps = func(old, c dnswarmup.Config) bool { return old.Learn == c.Learn }
	return stage, err
}
