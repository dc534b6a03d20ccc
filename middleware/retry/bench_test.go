package retry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
	"github.com/headgate-go/headgate/middleware/retry"
)

// A call that succeeds at once costs no allocation more in a chain.
func TestHappyPathAllocatesNothing(t *testing.T) {
	base, stage := middlewaretest.Instant(200), newStage(t, retry.DefaultConfig())
	require.LessOrEqual(t,
		middlewaretest.Allocs(t, middleware.Chain(base, middlewaretest.Settling, stage.Wrap)),
		middlewaretest.Allocs(t, middleware.Chain(base, middlewaretest.Settling)))
}

// Contended: what the calls of all goroutines have in common is a few counters.
func BenchmarkRetry(b *testing.B) {
	base, stage := middlewaretest.Instant(200), newStage(b, retry.DefaultConfig())
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: base},
		middlewaretest.Row{Name: "alone", RT: stage.Wrap(base)},
		middlewaretest.Row{Name: "chain without", RT: middleware.Chain(base, middlewaretest.Settling, middlewaretest.Attempting)},
		middlewaretest.Row{Name: "chain with", RT: middleware.Chain(base, middlewaretest.Settling, stage.Wrap)},
	)
}
