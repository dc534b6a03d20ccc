// Package retry sends a request again when that is safe and likely to help.
//
// What an attempt meant is read from its Outcome. A pushback, a busy upstream
// and a failure are worth another attempt; a wrong request, an exhausted quota,
// the caller's own cancel and the refusals of other stages are not. A request
// that is not idempotent (RFC 9110, section 9.2.2) is repeated only where
// nothing was processed for certain, where it carries an Idempotency-Key, or
// where the application says that it may be.
//
// Between attempts the stage waits: as long as the upstream asks (Retry-After,
// never less), else an exponential backoff with jitter. It does not begin to
// wait for what cannot come before the deadline; the answer that it has goes
// back at once. What comes back in the end is the last response that the
// upstream gave, readable, and an error only if there was none.
//
// The retries of all calls to an authority together are bounded by a budget: a
// share of the calls in a sliding window, with a floor per second (as in
// Finagle, Linkerd and Envoy). An upstream that is down gets 1.2 requests per
// call then, not max_attempts. Retries that achieve something cost nothing.
//
// Attempts do not multiply with those of others. X-Should-Retry of the upstream
// is obeyed and, on giving up, set for the SDK above; a call that an SDK repeats
// gets one attempt; and of two retry stages on a request's way one makes the
// retries.
//
// Every attempt is a child of the call's exchange, so that stages inside retry
// (circuit breaker, rate limit, semaphore) settle with the attempt: no permit is
// held during a backoff.
package retry
