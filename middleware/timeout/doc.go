// Package timeout bounds how long a call, or each of its attempts, may take.
//
// It is one stage that is used twice: outside retry it bounds the call with all
// its attempts and waits (timeout/total), inside retry one attempt
// (timeout/attempt). Which part it bounds is a setting: until the response's
// headers are there, or until its body has ended. A limit until the headers
// leaves a long but healthy stream alone.
//
// The stage sets a Limit on the exchange: it starts no goroutine and derives no
// context, and where the caller's own deadline comes first it starts no timer.
// Place it inside semaphore and rate_limit to bound the upstream's time alone,
// outside them to bound the waiting too.
package timeout
