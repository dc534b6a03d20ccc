package httpcache_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

func Example() {
	cache, err := httpcache.New(httpcache.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		fmt.Println("upstream: ", req.Method, req.URL.Path)
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {"max-age=3600"}},
			Body: io.NopCloser(strings.NewReader("two models")), ContentLength: 10, Request: req,
		}, nil
	})
	client := &http.Client{Transport: cache.Wrap(upstream)}

	for range 2 {
		resp, err := client.Get("http://api.example.com/v1/models")
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		status, _, _ := strings.Cut(resp.Header.Get("Cache-Status"), "; ttl")
		fmt.Printf("%s (%s)\n", body, status)
	}
	// Output:
	// upstream:  GET /v1/models
	// two models (headgate; fwd=uri-miss; stored)
	// two models (headgate; hit)
}

// Prompts are POST requests, which a cache answers only if it was told to.
func Example_prompts() {
	cfg := httpcache.DefaultConfig()
	cfg.Routes = []httpcache.Route{{
		Method: "POST", Host: "api.example.com", Path: "/v1/chat/completions", ContentType: "application/json",
		TTL: 24 * time.Hour,
	}}
	cache, err := httpcache.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		prompt, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		fmt.Printf("upstream: %s\n", prompt)
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"answer":42}`)), ContentLength: -1, Request: req,
		}, nil
	})
	client := &http.Client{Transport: cache.Wrap(upstream)}

	for range 2 {
		resp, err := client.Post("http://api.example.com/v1/chat/completions", "application/json", strings.NewReader(`{"prompt":"6 x 7"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		answer, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Printf("%s\n", answer)
	}
	// Output:
	// upstream: {"prompt":"6 x 7"}
	// {"answer":42}
	// {"answer":42}
}
