package middleware_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

// stub answers at once and, as net/http does, derives a context from the
// request's: a lazy context would else hide its cost.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

func joining(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nothing{}, 0)
		return next.RoundTrip(inner)
	})
}

func attempting(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, req := middleware.Join(req)
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	})
}

type nothing struct{}

func (nothing) Settle(uint64, middleware.End) {}

func BenchmarkExchange(b *testing.B) {
	for _, bench := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", joining(stub)},
		{"chain of one", middleware.Chain(stub, joining)},
		{"chain with an attempt", middleware.Chain(stub, attempting, joining)},
		{"chain with an attempt and two settlers", middleware.Chain(stub, attempting, joining, joining)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			req, _ := http.NewRequest("GET", "http://a/", nil)
			b.ReportAllocs()
			for b.Loop() {
				resp, err := bench.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
}
