package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
)

// retryable is hashicorp/go-retryablehttp with its defaults: four retries, one
// second and more between them.
func retryable(base *http.Transport) *http.Client {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient = &http.Client{Transport: base}
	return c.StandardClient()
}

// patience is how long failsafe-go's queues let a caller wait: they do not look at
// its deadline, so they are told of it, and of the service time. Of what was tried
// from 0.8 s to 2 s it served them best in both forms.
const patience = 1800 * time.Millisecond

// failsafeBulkhead is told the capacity, as the second Headgate is: 28 at a time.
func failsafeBulkhead(base *http.Transport) *http.Client {
	retry := failsafehttp.NewRetryPolicyBuilder().
		WithMaxRetries(2).
		WithBackoff(200*time.Millisecond, 10*time.Second).
		WithJitterFactor(0.5).
		ReturnLastFailure().
		Build()
	breaker := circuitbreaker.NewBuilder[*http.Response]().
		HandleIf(failure).
		WithFailureRateThreshold(0.5, 20, 30*time.Second).
		WithDelay(5 * time.Second).
		Build()
	gate := bulkhead.NewBuilder[*http.Response](28).WithMaxWaitTime(patience).Build()
	return &http.Client{Transport: failsafehttp.NewRoundTripper(base, retry, breaker, gate)}
}

// failure is what a breaker counts: the upstream's failures, not the queue's
// refusals and not a caller whose time is over.
func failure(resp *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, bulkhead.ErrFull) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
	}
	return resp.StatusCode >= http.StatusInternalServerError
}

// failsafeAdaptive has a queue of 20 to 40 times its limit, which served it best of
// what was tried from 2 on.
func failsafeAdaptive(base *http.Transport) *http.Client {
	limiter := adaptivelimiter.NewBuilder[*http.Response]().
		WithQueueing(20, 40).
		WithMaxWaitTime(patience).
		Build()
	return &http.Client{Transport: failsafehttp.NewRoundTripper(base, limiter)}
}
