package pipeline_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

var stub = middlewaretest.Instant(http.StatusOK)

// full is the standard preset with limits that nothing ever waits for.
func full(change map[string]any) pipeline.Config {
	stages := map[string]any{
		"timeout/total":   map[string]any{"limit": "30s", "until": "body"},
		"timeout/attempt": map[string]any{"limit": "10s", "until": "headers"},
		"rate_limit":      map[string]any{"requests": 1_000_000_000, "burst": 1_000_000_000},
		"semaphore":       map[string]any{"max_concurrent": 1024},
	}
	for id, settings := range change {
		merged := map[string]any{}
		if old, ok := stages[id].(map[string]any); ok {
			maps.Copy(merged, old)
		}
		maps.Copy(merged, settings.(map[string]any))
		stages[id] = merged
	}
	return pipeline.Config{
		Order:  []string{"fallback", "cache", "timeout/total", "retry", "circuit_breaker", "rate_limit", "semaphore", "timeout/attempt"},
		Stages: stages,
	}
}

// BenchmarkPipeline is the happy path of the full stack over a stub, and what
// one setting more costs. GET reaches the cache, whose answers can't be stored
// here; POST bypasses it.
func BenchmarkPipeline(b *testing.B) {
	set := func(id, key string, value any) pipeline.Config {
		return full(map[string]any{id: map[string]any{key: value}})
	}
	off := func(id string) pipeline.Config {
		cfg := full(nil)
		cfg.Off = []string{id}
		return cfg
	}
	for _, bench := range []struct {
		name   string
		method string
		cfg    pipeline.Config
	}{
		{"base", "GET", pipeline.Config{}},
		{"full", "GET", full(nil)},
		{"full, cache bypass", "POST", full(nil)},
		{"shared key", "POST", full(map[string]any{
			"circuit_breaker": map[string]any{"key": "shared"}, "rate_limit": map[string]any{"key": "shared"}, "semaphore": map[string]any{"key": "shared"},
		})},
		{"slow calls watched", "POST", set("circuit_breaker", "slow_call", "1s")},
		{"permits end with the headers", "POST", set("semaphore", "release", "headers")},
		{"attempt until the body", "POST", set("timeout/attempt", "until", "body")},
		{"without fallback", "POST", off("fallback")},
		{"without cache", "POST", off("cache")},
		{"without timeout/total", "POST", off("timeout/total")},
		{"without retry", "POST", off("retry")},
		{"without circuit_breaker", "POST", off("circuit_breaker")},
		{"without rate_limit", "POST", off("rate_limit")},
		{"without semaphore", "POST", off("semaphore")},
		{"without timeout/attempt", "POST", off("timeout/attempt")},
		{"without any stage", "POST", pipeline.Config{}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			rt := stub
			if bench.name != "base" {
				rt = build(b, bench.cfg, stub)
			}
			benchmark(b, rt, request(b, context.Background(), bench.method, "http://api.example.com/v1"))
		})
	}
}

func benchmark(b *testing.B, rt http.RoundTripper, req *http.Request) {
	b.ReportAllocs()
	for b.Loop() {
		middlewaretest.Exchange(b, rt, req)
	}
}

// BenchmarkPipelineParallel is the full stack with many callers.
func BenchmarkPipelineParallel(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("%d callers a processor", callers), func(b *testing.B) {
			p := build(b, full(nil), stub)
			b.SetParallelism(callers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := request(b, context.Background(), http.MethodPost, "http://api.example.com/v1")
				for pb.Next() {
					middlewaretest.Exchange(b, p, req)
				}
			})
		})
	}
}

// BenchmarkCancellableCaller has the caller's context be one that can end, which a
// body that is still open must be told of.
func BenchmarkCancellableCaller(b *testing.B) {
	p := build(b, full(nil), stub)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	benchmark(b, p, request(b, ctx, http.MethodPost, "http://api.example.com/v1"))
}

// BenchmarkLoad is a configuration with all that a file can have.
func BenchmarkLoad(b *testing.B) {
	fsys := files("http.yaml", base, "over.yaml", "pipelines: {api: {stages: {retry: {max_attempts: 2}}}, other: {extends: llm}}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pipeline.Load(fsys, "http.yaml", "over.yaml"); err != nil {
			b.Fatal(err)
		}
	}
}
