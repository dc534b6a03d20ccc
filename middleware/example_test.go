package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// ErrTooMany is why the gauge refuses.
var ErrTooMany = errors.New("too many requests in flight")

// Gauge counts the requests in flight and refuses what is above Max. A request
// is in flight until its body has been read, so it has a settler.
type Gauge struct {
	Max      int64
	inFlight atomic.Int64
}

// Wrap is a middleware.Middleware.
func (g *Gauge) Wrap(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
		ex, inner := middleware.Join(req)
		defer ex.Leave(req, &resp, &err)
		if ex.Skipped("gauge") {
			return next.RoundTrip(inner)
		}
		ex.OnEnd(g, 0)
		if g.inFlight.Add(1) > g.Max {
			middleware.CloseBody(inner)
			return nil, &middleware.RejectedError{Stage: "gauge", Key: middleware.Authority(inner), Err: ErrTooMany}
		}
		return next.RoundTrip(inner)
	})
}

// Settle is called once, however the request ended.
func (g *Gauge) Settle(uint64, middleware.End) { g.inFlight.Add(-1) }

func Example() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer upstream.Close()

	gauge := &Gauge{Max: 1}
	client := &http.Client{Transport: middleware.Chain(upstream.Client().Transport, gauge.Wrap)}

	resp, err := client.Get(upstream.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("in flight:", gauge.inFlight.Load())

	_, err = client.Get(upstream.URL)
	fmt.Println("rejected:", errors.Is(err, middleware.ErrRejected), errors.Is(err, ErrTooMany))

	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	fmt.Printf("%s, in flight: %d\n", text, gauge.inFlight.Load())
	// Output:
	// in flight: 1
	// rejected: true true
	// hello, in flight: 0
}

func ExampleSkip() {
	gauge := &Gauge{Max: 0} // refuses everything
	client := &http.Client{Transport: middleware.Chain(ok("hello"), gauge.Wrap)}

	ctx := middleware.Skip(context.Background(), "gauge")
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://api.example.com/", nil)
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output: 200 OK
}

func ExampleObserver() {
	observer := middleware.ObserverFunc(func(_ context.Context, e middleware.Event) {
		fmt.Println(e.Stage, e.Kind, e.Key, e.Outcome.Verdict)
	})
	reporter := middleware.Reporter{Observer: observer}.Named("audit")
	audit := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			resp, err = next.RoundTrip(inner)
			reporter.Report(ex, middleware.Event{Kind: "answered", Key: middleware.Authority(inner), Outcome: ex.Outcome(resp, err)})
			return resp, err
		})
	}
	client := &http.Client{Transport: middleware.Chain(ok("hello"), audit)}
	if resp, err := client.Get("https://API.example.com:443/v1"); err == nil {
		_ = resp.Body.Close()
	}
	// Output: audit answered api.example.com success
}

func ExampleOption() {
	tenant := middleware.NewOption[string]("tenant")
	tagging := func(next http.RoundTripper) http.RoundTripper {
		return middleware.Forward(next, func(req *http.Request) (resp *http.Response, err error) {
			ex, inner := middleware.Join(req)
			defer ex.Leave(req, &resp, &err)
			if name, set := tenant.Of(ex); set {
				inner = inner.Clone(inner.Context()) // the caller's header is not ours to change
				inner.Header.Set("X-Tenant", name)
			}
			return next.RoundTrip(inner)
		})
	}
	base := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		fmt.Println("sent for", req.Header.Get("X-Tenant"))
		return ok("hello").RoundTrip(req)
	})
	client := &http.Client{Transport: middleware.Chain(base, tagging)}
	req, _ := http.NewRequestWithContext(tenant.With(context.Background(), "acme"), http.MethodGet, "http://api.example.com/", nil)
	if resp, err := client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
	// Output: sent for acme
}

func ExampleReplay() {
	// A reader of which net/http cannot know how to begin again.
	req, _ := http.NewRequest(http.MethodPost, "http://api.example.com/", io.NopCloser(strings.NewReader("question")))
	req.ContentLength = 8
	replay := middleware.NewReplay(req, middleware.MiB)
	defer replay.Release()
	for range 2 {
		body, err := replay.Body()
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := io.ReadAll(body)
		_ = body.Close()
		fmt.Printf("%s\n", text)
	}
	// Output:
	// question
	// question
}

func ExampleRetryAfter() {
	fmt.Println(middleware.RetryAfter(http.Header{"Retry-After": {"1.5"}}))
	fmt.Println(middleware.RetryAfter(http.Header{
		"Date":        {"Sun, 06 Nov 1994 08:49:37 GMT"},
		"Retry-After": {"Sun, 06 Nov 1994 08:51:07 GMT"},
	}))
	fmt.Println(middleware.RetryAfter(http.Header{"Retry-After": {"soon"}}))
	// Output:
	// 1.5s true
	// 1m30s true
	// 0s false
}

func ExampleBytes() {
	var b middleware.Bytes
	for _, text := range []string{"64MiB", "1.5GiB", "1500", "64m"} {
		if err := b.UnmarshalText([]byte(text)); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(int64(b), b)
	}
	// Output:
	// 67108864 64MiB
	// 1610612736 1536MiB
	// 1500 1500B
	// "64m" is not a size; write for example 64MiB, 512KiB or 1GB
}

// ok is a base that answers by itself.
func ok(text string) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(text)), Request: req,
		}, nil
	})
}
