package circuitbreaker_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/circuitbreaker"
)

func Example() {
	cfg := circuitbreaker.DefaultConfig()
	cfg.ConsecutiveFailures = 3
	breaker, err := circuitbreaker.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("connection refused")
	})
	client := &http.Client{Transport: breaker.Wrap(upstream)}

	for range 4 {
		_, err = client.Get("http://api.example.com/")
		fmt.Println(errors.Is(err, circuitbreaker.ErrOpen), err)
	}
	// Output:
	// false Get "http://api.example.com/": connection refused
	// false Get "http://api.example.com/": connection refused
	// false Get "http://api.example.com/": connection refused
	// true Get "http://api.example.com/": circuit_breaker: api.example.com: circuit is open, come back in 5s
}

// A refusal says when to come back.
func ExampleErrOpen() {
	breaker, err := circuitbreaker.New(circuitbreaker.DefaultConfig())
	if err != nil {
		fmt.Println(err)
		return
	}
	breaker.ForceOpen("api.example.com") // a planned outage
	client := &http.Client{Transport: breaker.Wrap(http.DefaultTransport)}

	_, err = client.Get("http://api.example.com/")
	var rejected *middleware.RejectedError
	if errors.As(err, &rejected) && errors.Is(err, circuitbreaker.ErrOpen) {
		fmt.Println(rejected.Stage, rejected.Key, rejected.RetryAfter, "upstream asked:", !errors.Is(err, middleware.ErrRejected))
	}
	// Output: circuit_breaker api.example.com 0s upstream asked: false
}

func ExampleCircuitBreaker_Stats() {
	cfg := circuitbreaker.DefaultConfig()
	cfg.SlowCall = 10 * time.Second
	breaker, err := circuitbreaker.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	upstream := middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Body: http.NoBody, Request: req}, nil
	})
	client := &http.Client{Transport: breaker.Wrap(upstream)}
	for range 2 {
		if _, err := client.Get("http://api.example.com/"); err != nil {
			fmt.Println(err)
		}
	}
	for _, k := range breaker.Stats() {
		fmt.Println(k.Key, k.State, k.Failures, "of", k.Calls, "failed")
	}
	// Output: api.example.com closed 2 of 2 failed
}
