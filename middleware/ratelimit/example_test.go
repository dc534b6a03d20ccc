package ratelimit_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/ratelimit"
)

func Example() {
	cfg := ratelimit.DefaultConfig()
	cfg.Requests, cfg.Per, cfg.Burst = 60, time.Minute, 2 // one each second, two at once
	cfg.Queue = 0                                         // nobody waits
	stage, err := ratelimit.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	client := &http.Client{Transport: stage.Wrap(upstream)}

	for range 3 {
		resp, err := client.Get("http://api.example.com/")
		var rejected *middleware.RejectedError
		if errors.As(err, &rejected) {
			fmt.Println(rejected.Err, "- come back within", rejected.RetryAfter.Round(time.Second))
			continue
		}
		fmt.Println(resp.StatusCode)
		_ = resp.Body.Close()
	}
	// Output:
	// 200
	// 200
	// the queue is full - come back within 1s
}

func ExampleWithKey() {
	byTenant := func(req *http.Request) string { return req.Header.Get("X-Tenant") }
	stage, err := ratelimit.New(ratelimit.DefaultConfig(), ratelimit.WithKey(byTenant))
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	req, _ := http.NewRequest(http.MethodGet, "http://api.example.com/", nil)
	req.Header.Set("X-Tenant", "blue")
	resp, err := stage.Wrap(upstream).RoundTrip(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(stage.Stats()[0].Key, stage.Stats()[0].Admitted)
	// Output: blue 1
}

func ExampleRateLimit_Update() {
	cfg := ratelimit.DefaultConfig()
	stage, err := ratelimit.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg.Requests = 0
	fmt.Println(stage.Update(cfg)) // and the old settings stay
	// Output: rate_limit: requests: 0 lets nobody through; it must be at least 1 (a slower rate has a longer per)
}

// A budget in tokens of a language model: each request reserves what it may
// take, and a stage further in reports what it took.
func ExampleReport() {
	cfg := ratelimit.DefaultConfig()
	cfg.Units = ratelimit.UnitsConfig{Limit: 100_000, Per: time.Minute}
	stage, err := ratelimit.New(cfg, ratelimit.WithCost(func(req *http.Request) int { return int(req.ContentLength) / 4 }))
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ratelimit.Report(req.Context(), 1200) // as the response tells
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
	})
	req, _ := http.NewRequest(http.MethodPost, "http://api.example.com/v1/chat", nil)
	req = req.WithContext(ratelimit.Cost(req.Context(), 5000)) // outranks the function
	resp, err := stage.Wrap(upstream).RoundTrip(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	fmt.Println(stage.Stats()[0].Spent)
	// Output: 1200
}
