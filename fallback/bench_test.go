package fallback_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate-go/headgate/fallback"
	"github.com/headgate-go/headgate/middleware"
)

// stub answers at once and, as net/http does, derives a context from the request's.
func stub(status int) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, cancel := context.WithCancel(req.Context())
		defer cancel()
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
	})
}

// through does nothing: what a chain costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, next.RoundTrip)
}

func BenchmarkFallback(b *testing.B) {
	stage := func(answers ...fallback.AnswerConfig) middleware.Middleware {
		f, err := fallback.New(with(answers...), fallback.WithAnswer("canned", fallback.Func(canned)))
		if err != nil {
			b.Fatal(err)
		}
		return f.Wrap
	}
	ok, busy := stub(200), stub(503)
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", ok},
		{"alone", stage(sorry)(ok)},
		{"chain without", middleware.Chain(ok, through)},
		{"chain with no answers", middleware.Chain(ok, through, stage())},
		{"chain with a static answer", middleware.Chain(ok, through, stage(sorry))},
		{"chain with a func", middleware.Chain(ok, through, stage(named("canned")))},
		{"busy, static answer", middleware.Chain(busy, through, stage(sorry))},
		{"busy, func", middleware.Chain(busy, through, stage(named("canned")))},
	} {
		b.Run(row.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := row.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
