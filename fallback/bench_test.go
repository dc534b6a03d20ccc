package fallback_test

import (
	"net/http"
	"testing"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/middlewaretest"
)

func BenchmarkFallback(b *testing.B) {
	stage := func(answers ...fallback.AnswerConfig) middleware.Middleware {
		f, err := fallback.New(with(answers...), fallback.WithAnswer("canned", fallback.Func(canned)))
		if err != nil {
			b.Fatal(err)
		}
		return f.Wrap
	}
	ok, busy := middlewaretest.Instant(200), middlewaretest.Instant(503)
	chain := func(base http.RoundTripper, m ...middleware.Middleware) http.RoundTripper {
		return middleware.Chain(base, append([]middleware.Middleware{middlewaretest.Settling}, m...)...)
	}
	middlewaretest.Benchmark(b,
		middlewaretest.Row{Name: "base", RT: ok},
		middlewaretest.Row{Name: "alone", RT: stage(sorry)(ok)},
		middlewaretest.Row{Name: "chain without", RT: chain(ok)},
		middlewaretest.Row{Name: "chain with no answers", RT: chain(ok, stage())},
		middlewaretest.Row{Name: "chain with a static answer", RT: chain(ok, stage(sorry))},
		middlewaretest.Row{Name: "chain with a func", RT: chain(ok, stage(named("canned")))},
		middlewaretest.Row{Name: "busy, static answer", RT: chain(busy, stage(sorry))},
		middlewaretest.Row{Name: "busy, func", RT: chain(busy, stage(named("canned")))},
	)
}
