package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
	"github.com/headgate-go/headgate/middleware/httpcache"
	"github.com/headgate-go/headgate/middleware/ratelimit"
	"github.com/headgate-go/headgate/middleware/retry"
	"github.com/headgate-go/headgate/middleware/semaphore"
	"github.com/headgate-go/headgate/middleware/timeout"
	"github.com/headgate-go/headgate/pipeline"
)

// extremes are values that a setting of a kind can be given and that nobody has in mind.
func extremes(t reflect.Type) []any {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return []any{int64(math.MinInt64), int64(-1), int64(0), int64(1), int64(math.MaxInt64)}
	case reflect.Float64:
		return []any{math.Inf(-1), -1.0, 0.0, math.SmallestNonzeroFloat64, math.MaxFloat64, math.Inf(1), math.NaN()}
	case reflect.String:
		return []any{"", "\x00", "shared"}
	case reflect.Bool:
		return []any{true, false}
	}
	return []any{nil}
}

// TestNoSettingMakesAPipelinePanic gives each setting of each stage extreme
// values: either New tells that it is wrong, or calls go through or fail, and
// come back, with it.
func TestNoSettingMakesAPipelinePanic(t *testing.T) {
	for typ, defaults := range map[string]any{
		"cache": httpcache.DefaultConfig(), "circuit_breaker": circuitbreaker.DefaultConfig(), "fallback": fallback.DefaultConfig(),
		"rate_limit": ratelimit.DefaultConfig(), "retry": retry.DefaultConfig(), "semaphore": semaphore.DefaultConfig(), "timeout": timeout.DefaultConfig(),
	} {
		for i := range reflect.TypeOf(defaults).NumField() {
			field := reflect.TypeOf(defaults).Field(i)
			for _, value := range extremes(field.Type) {
				t.Run(fmt.Sprintf("%s %s %v", typ, field.Name, value), func(t *testing.T) {
					cfg := reflect.New(reflect.TypeOf(defaults)).Elem()
					cfg.Set(reflect.ValueOf(defaults))
					if f := cfg.Field(i); value == nil {
						f.SetZero()
					} else {
						f.Set(reflect.ValueOf(value).Convert(f.Type()))
					}
					p, err := pipeline.New("api", pipeline.Config{Order: []string{typ}, Stages: map[string]any{typ: cfg.Interface()}}, pipeline.WithBase(ok))
					if err != nil {
						require.ErrorContains(t, err, typ)
						return
					}
					for range 2 {
						ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
						if resp, err := p.RoundTrip(request(t, ctx, "GET", "http://api.example.com/")); err == nil {
							_, _ = io.Copy(io.Discard, resp.Body)
							require.NoError(t, resp.Body.Close())
						}
						cancel()
					}
					require.NotEmpty(t, p.String())
					require.NoError(t, p.Stop(t.Context()))
				})
			}
		}
	}
}
