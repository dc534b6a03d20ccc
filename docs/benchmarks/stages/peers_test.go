package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/PuerkitoBio/rehttp"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/failsafe-go/failsafe-go/fallback"
	"github.com/failsafe-go/failsafe-go/ratelimiter"
	fstimeout "github.com/failsafe-go/failsafe-go/timeout"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"github.com/headgate-go/headgate/middleware"
)

type peer struct {
	stage, client string
	wrap          middleware.Middleware
}

func peers() []peer {
	return []peer{
		{"retry", "rehttp", withRehttp},
		{"retry", "go-retryablehttp", withRetryable},
		{"retry", "failsafe-go", withFailsafe(failsafehttp.NewRetryPolicyBuilder().Build())},
		{"circuit_breaker", "gobreaker", withGobreaker},
		{"circuit_breaker", "failsafe-go", withFailsafe(circuitbreaker.NewBuilder[*http.Response]().WithDelay(time.Hour).Build())},
		{"rate_limit", "x/time/rate", withRate},
		{"rate_limit", "failsafe-go", withFailsafe(ratelimiter.NewBursty[*http.Response](plenty, time.Second))},
		{"semaphore, fixed", "x/sync/semaphore", withSemaphore},
		{"semaphore, fixed", "channel", withChannel},
		{"semaphore, fixed", "failsafe-go", withFailsafe(bulkhead.NewBuilder[*http.Response](1024).WithMaxWaitTime(time.Second).Build())},
		{"semaphore, adaptive", "failsafe-go", withFailsafe(adaptivelimiter.NewBuilder[*http.Response]().WithLimits(1000, 1000, 1000).Build())},
		{"timeout", "context.WithTimeout", withTimeout},
		{"timeout", "failsafe-go", withFailsafe(fstimeout.New[*http.Response](30 * time.Second))},
		{"full stack", "rehttp, gobreaker, x/time, x/sync", func(base http.RoundTripper) http.RoundTripper {
			return middleware.Chain(base, withTimeout, withRehttp, withGobreaker, withRate, withSemaphore, withTimeout)
		}},
		{"full stack", "failsafe-go", withFailsafe(
			failsafe.Policy[*http.Response](fallback.NewWithError[*http.Response](errFallback)),
			failsafehttp.NewRetryPolicyBuilder().Build(),
			circuitbreaker.NewWithDefaults[*http.Response](),
			ratelimiter.NewBursty[*http.Response](plenty, time.Second),
			bulkhead.NewBuilder[*http.Response](1024).WithMaxWaitTime(time.Second).Build(),
			fstimeout.New[*http.Response](30*time.Second),
		)},
	}
}

var errFallback = errors.New("nothing better")

func withFailsafe(policies ...failsafe.Policy[*http.Response]) middleware.Middleware {
	return func(base http.RoundTripper) http.RoundTripper {
		return failsafehttp.NewRoundTripper(base, policies...)
	}
}

func withRehttp(base http.RoundTripper) http.RoundTripper {
	return rehttp.NewTransport(base,
		rehttp.RetryAll(rehttp.RetryMaxRetries(2), rehttp.RetryStatuses(http.StatusServiceUnavailable)),
		rehttp.ExpJitterDelay(200*time.Millisecond, 10*time.Second))
}

func withRetryable(base http.RoundTripper) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient = &http.Client{Transport: base}
	return &retryablehttp.RoundTripper{Client: c}
}

func withGobreaker(base http.RoundTripper) http.RoundTripper {
	breaker := gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{Timeout: time.Hour})
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		return breaker.Execute(func() (*http.Response, error) { return base.RoundTrip(req) })
	})
}

func withRate(base http.RoundTripper) http.RoundTripper {
	limiter := rate.NewLimiter(plenty, plenty)
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if err := limiter.Wait(req.Context()); err != nil {
			return nil, err
		}
		return base.RoundTrip(req)
	})
}

func withSemaphore(base http.RoundTripper) http.RoundTripper {
	permits := semaphore.NewWeighted(1024)
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if err := permits.Acquire(req.Context(), 1); err != nil {
			return nil, err
		}
		defer permits.Release(1)
		return base.RoundTrip(req)
	})
}

func withChannel(base http.RoundTripper) http.RoundTripper {
	permits := make(chan struct{}, 1024)
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		select {
		case permits <- struct{}{}:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
		defer func() { <-permits }()
		return base.RoundTrip(req)
	})
}

// withTimeout is as one writes it by hand: the context must live until the body ends.
func withTimeout(base http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithTimeout(req.Context(), 30*time.Second)
		resp, err := base.RoundTrip(req.WithContext(ctx))
		if err != nil {
			cancel()
			return nil, err
		}
		resp.Body = &cancelling{resp.Body, cancel}
		return resp, nil
	})
}

type cancelling struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (c *cancelling) Close() error {
	defer c.cancel()
	return c.ReadCloser.Close()
}
