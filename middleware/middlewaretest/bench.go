package middlewaretest

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/headgate-go/headgate/middleware"
)

// Instant is a base for benchmarks: it answers with status at once and, as
// net/http does, derives a context from the request's. The cost of a context
// that does nothing until somebody does that would else be hidden.
func Instant(status int) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, cancel := context.WithCancel(req.Context())
		defer cancel()
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
	})
}

// Settling is a stage that waits for the end of the exchange and does nothing
// else: with it, a chain costs what it costs in a pipeline anyway, and what
// another stage adds is its own part.
func Settling(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		ex.OnEnd(nobody{}, 0)
		return next.RoundTrip(inner)
	})
}

type nobody struct{}

func (nobody) Settle(uint64, middleware.End) {}

// Attempting is a stage that makes one attempt, as a retry does: for stages
// that stand below one.
func Attempting(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, req := middleware.Join(req)
		child, inner := ex.Child(req)
		defer child.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	})
}

// Row is one line of a benchmark.
type Row struct {
	Name string
	RT   http.RoundTripper
	// Context is that of the requests; nil means context.Background().
	Context context.Context
}

func (r Row) request(tb testing.TB) *http.Request {
	ctx := r.Context
	if ctx == nil {
		ctx = context.Background()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// callersAtOnce are the goroutines of a contended row.
const callersAtOnce = 64

// Benchmark measures each row twice: with one caller after the other, and with
// 64 at once.
func Benchmark(b *testing.B, rows ...Row) {
	for _, row := range rows {
		b.Run(row.Name, func(b *testing.B) {
			req := row.request(b)
			b.ReportAllocs()
			for b.Loop() {
				Exchange(b, row.RT, req)
			}
		})
		b.Run(row.Name+", contended", func(b *testing.B) {
			b.SetParallelism(max(1, callersAtOnce/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := row.request(b)
				for pb.Next() {
					Exchange(b, row.RT, req)
				}
			})
		})
	}
}

// Exchange sends req, and reads and closes the answer's body. An error fails
// the test. It may be called from any goroutine.
func Exchange(tb testing.TB, rt http.RoundTripper, req *http.Request) {
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// Allocs is how many allocations an exchange with rt costs, its request not
// counted. The race detector and the coverage tool make more of it.
func Allocs(tb testing.TB, rt http.RoundTripper) int {
	req := Row{}.request(tb)
	return int(testing.AllocsPerRun(500, func() { Exchange(tb, rt, req) }))
}
