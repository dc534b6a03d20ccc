//go:build !race

package pipeline_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/pipeline"
)

// allocations are those of a call by rt, beyond the ones of the stub.
func allocations(t *testing.T, rt http.RoundTripper, method string) int {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	return allocationsIn(ctx, t, rt, method) - allocationsIn(ctx, t, stub, method)
}

func allocationsIn(ctx context.Context, t *testing.T, rt http.RoundTripper, method string) int {
	req := request(t, ctx, method, "http://api.example.com/v1")
	return int(testing.AllocsPerRun(500, func() {
		middlewaretest.Exchange(t, rt, req)
	}))
}

// exchange is what a call costs because there are stages at all: its exchange,
// the channel of its context, and three for the context that the base derives
// from it. watched is what the caller's context costs if that can end.
const (
	exchange = 5
	watched  = 2
)

// TestTheHappyPathAllocatesNothingBesidesTheExchange keeps it at that.
func TestTheHappyPathAllocatesNothingBesidesTheExchange(t *testing.T) {
	cfg := full(nil)
	t.Run("no cache", func(t *testing.T) {
		cfg.Off = []string{"cache"}
		p := build(t, cfg, stub)
		require.Equal(t, exchange, allocationsIn(context.Background(), t, p, http.MethodPost)-allocationsIn(context.Background(), t, stub, http.MethodPost))
		require.Equal(t, exchange+watched, allocations(t, p, http.MethodPost), "for a caller who may cancel")
	})
	t.Run("the cache is bypassed", func(t *testing.T) {
		// The cache says so in a header, which is up to four.
		require.LessOrEqual(t, allocations(t, build(t, full(nil), stub), http.MethodPost), exchange+watched+4)
	})
	t.Run("no stage", func(t *testing.T) {
		require.Equal(t, exchange+watched, allocations(t, build(t, pipeline.Config{}, stub), http.MethodPost))
	})
	for _, id := range cfg.Order {
		if id == "cache" {
			continue
		}
		t.Run(id, func(t *testing.T) {
			one := pipeline.Config{Order: []string{id}}
			if settings, ok := cfg.Stages[id]; ok {
				one.Stages = map[string]any{id: settings}
			}
			require.Equal(t, exchange+watched, allocations(t, build(t, one, stub), http.MethodPost))
		})
	}
}
