package retry_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/retry"
)

// stub answers at once and, as net/http does, derives a context from the request's.
var stub = middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
	_, cancel := context.WithCancel(req.Context())
	defer cancel()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
})

// through does nothing: what a chain costs anyway.
func through(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, next.RoundTrip)
}

func BenchmarkRetry(b *testing.B) {
	stage := newStage(b, retry.DefaultConfig())
	for _, row := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", stub},
		{"alone", stage.Wrap(stub)},
		{"chain without", middleware.Chain(stub, through)},
		{"chain with", middleware.Chain(stub, through, stage.Wrap)},
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
