package middleware_test

import (
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

var stub = middlewaretest.Instant(200)

func BenchmarkExchange(b *testing.B) {
	settling, attempting := middlewaretest.Settling, middlewaretest.Attempting
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: stub},
		middlewaretest.Row{Name: "alone", RT: settling(stub)},
		middlewaretest.Row{Name: "chain of one", RT: middleware.Chain(stub, settling)},
		middlewaretest.Row{Name: "chain with an attempt", RT: middleware.Chain(stub, attempting, settling)},
		middlewaretest.Row{Name: "chain with an attempt and two settlers", RT: middleware.Chain(stub, attempting, settling, settling)},
	)
}
