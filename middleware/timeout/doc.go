// Package timeout bounds how long a call, or each of its attempts, may take.
//
// It is one stage that is used several times, each time with one limit: until
// there is a connection, until the response's headers, until the first content,
// until the body's end, or, for every silence of the body, until its next
// progress. Outside retry it bounds the call with all its attempts and waits
// (timeout/total), inside retry one attempt (timeout/attempt, timeout/connect,
// timeout/idle).
//
// A silence counts by progress, not by bytes: with a provider stage that knows
// content from keep-alive lines, only content is progress. And it counts only
// while a Read of the body waits: a caller that takes its time is not cut.
//
// The stage sets a Limit on the exchange: it starts no goroutine, and where the
// caller's own deadline comes first it starts no timer. Place it inside
// semaphore and rate_limit to bound the upstream's time alone, outside them to
// bound the waiting too.
package timeout
