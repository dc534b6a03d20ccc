package httpcache_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// stub answers at once and, as net/http does, derives a context from the
// request's and makes a header for each response.
func stub(body []byte, cacheControl string) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, cancel := context.WithCancel(req.Context())
		defer cancel()
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{
				"Content-Type": {"application/json"}, "Date": {"Sun, 06 Nov 1994 08:49:37 GMT"},
				"Cache-Control": {cacheControl}, "Content-Length": {strconv.Itoa(len(body))},
			},
			ContentLength: int64(len(body)),
			Body:          io.NopCloser(bytes.NewReader(body)), Request: req,
		}, nil
	})
}

// marker is a stage that does nothing but join: what a chain costs anyway.
func marker(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		return next.RoundTrip(inner)
	})
}

func stage(b *testing.B, coalesce bool) middleware.Middleware {
	cfg := httpcache.DefaultConfig()
	cfg.Coalesce = coalesce
	c, err := httpcache.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return c.Wrap
}

const longLived = "max-age=4294967296" // the stub's Date is long ago

func BenchmarkHit(b *testing.B) {
	const url = "http://api.example.com/v1/models"
	for _, size := range []int{1 << 10, 1 << 20} {
		base := stub(bytes.Repeat([]byte("x"), size), longLived)
		for _, bench := range []struct {
			name string
			rt   http.RoundTripper
		}{
			{"base", base},
			{"chain without", middleware.Chain(base, marker)},
			{"alone", stage(b, true)(base)},
			{"chain", middleware.Chain(base, stage(b, true))},
		} {
			b.Run(strconv.Itoa(size)+"/"+bench.name, func(b *testing.B) { get(b, bench.rt, url, false, true) })
			b.Run(strconv.Itoa(size)+"/"+bench.name+", headers only", func(b *testing.B) { get(b, bench.rt, url, false, false) })
		}
	}
}

func BenchmarkMissAndStore(b *testing.B) {
	const url = "http://api.example.com/v1/models/"
	for _, size := range []int{1 << 10, 64 << 10} {
		base := stub(bytes.Repeat([]byte("x"), size), longLived)
		for _, bench := range []struct {
			name string
			rt   http.RoundTripper
		}{
			{"base", base},
			{"chain without", middleware.Chain(base, marker)},
			{"chain", middleware.Chain(base, stage(b, true))},
			{"chain, without coalescing", middleware.Chain(base, stage(b, false))},
		} {
			b.Run(strconv.Itoa(size)+"/"+bench.name, func(b *testing.B) { get(b, bench.rt, url, true, true) })
		}
	}
}

// get sends GET requests, one after the other: to one URL, or to one of its own each.
func get(b *testing.B, rt http.RoundTripper, url string, distinct, read bool) {
	b.Helper()
	b.ReportAllocs()
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	path := req.URL.Path
	buf := make([]byte, 32<<10)
	one := func() {
		resp, err := rt.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		for read {
			if _, err := resp.Body.Read(buf); err == io.EOF {
				break
			}
		}
		_ = resp.Body.Close()
	}
	read, wanted := true, read
	one()
	read = wanted
	for i := 0; b.Loop(); i++ {
		if distinct {
			req.URL.Path = path + strconv.Itoa(i)
		}
		one()
	}
}

func BenchmarkBypassPost(b *testing.B) {
	base := stub([]byte("ok"), "no-store")
	content := []byte(`{"model":"m"}`)
	for _, bench := range []struct {
		name string
		rt   http.RoundTripper
	}{
		{"base", base},
		{"chain without", middleware.Chain(base, marker)},
		{"alone", stage(b, true)(base)},
		{"chain", middleware.Chain(base, stage(b, true))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			req, _ := http.NewRequest(http.MethodPost, "http://api.example.com/v1/chat/completions", bytes.NewReader(content))
			for b.Loop() {
				req.Body, _ = req.GetBody()
				resp, err := bench.rt.RoundTrip(req)
				if err != nil {
					b.Fatal(err)
				}
				_ = resp.Body.Close()
			}
		})
	}
}
