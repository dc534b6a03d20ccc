package storms_test

import (
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/failsafehttp"
	"github.com/hashicorp/go-retryablehttp"
)

// retryable is hashicorp/go-retryablehttp with its defaults.
func retryable(base http.RoundTripper) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.HTTPClient = &http.Client{Transport: base}
	return &retryablehttp.RoundTripper{Client: c}
}

// failsafeRetry is failsafe-go's HTTP retry policy with a usual backoff.
func failsafeRetry(base http.RoundTripper) http.RoundTripper {
	retry := failsafehttp.NewRetryPolicyBuilder().WithBackoff(200*time.Millisecond, 10*time.Second).WithJitterFactor(0.5).ReturnLastFailure().Build()
	return failsafehttp.NewRoundTripper(base, retry)
}

// failsafeLimiter is failsafe-go's adaptive limiter with its defaults.
func failsafeLimiter(base http.RoundTripper) http.RoundTripper {
	return failsafehttp.NewRoundTripper(base, adaptivelimiter.NewWithDefaults[*http.Response]())
}

// patience is as in the command overload: failsafe-go's queues do not look at the
// callers' deadline of 2 s, so they are told of it.
const patience = 1800 * time.Millisecond

// failsafeQueue is the same limiter with a queue of so many times its limit: a caller
// may be turned away beyond the first, and is beyond the second.
func failsafeQueue(base http.RoundTripper, from, to float64, wait time.Duration) http.RoundTripper {
	limiter := adaptivelimiter.NewBuilder[*http.Response]().WithQueueing(from, to).WithMaxWaitTime(wait).Build()
	return failsafehttp.NewRoundTripper(base, limiter)
}

// failsafeBulkhead is told the capacity.
func failsafeBulkhead(base http.RoundTripper, wait time.Duration) http.RoundTripper {
	return failsafehttp.NewRoundTripper(base, bulkhead.NewBuilder[*http.Response](28).WithMaxWaitTime(wait).Build())
}
