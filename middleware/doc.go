// Package middleware is the contract between Headgate's stages: what a stage
// is, what the stages of one call share, and how they speak of outcomes,
// refusals and events. It needs the standard library alone, and knows no stage.
//
// A stage is a Middleware: it is put in front of the next http.RoundTripper
// and obeys the contract of http.RoundTripper to the letter. It never modifies
// the request, closes the request's body on every path, and returns either a
// response or an error.
//
// # The exchange
//
// What the stages of one call share is an Exchange. Chain makes it, stages Join
// it, and it answers three questions that every stage has:
//
//   - When is it over? A response is over when its body is. OnEnd has a Settler
//     called exactly once, at the body's end, Close or failure, when the
//     context ends, on an error, or on a panic.
//   - How long may it take? The exchange is the context of the request that
//     goes on. Limit sets a deadline on it, Deadline gives the earliest of all,
//     and no stage waits for what cannot come before it.
//   - What did the answer mean? Outcome gives the verdict, decided once next to
//     the wire, by a provider stage or by Classify.
//
// A stage that sends a request more than once gives each attempt a Child, which
// ends by itself. A stage that stands above settles with the call, one below
// with the attempt.
//
// # Errors
//
// A stage that refuses a request returns a RejectedError: which stage, why, and
// when to come back. It matches ErrRejected, which holds only if nothing of
// the call went upstream.
//
// # Writing a stage
//
// docs/stages.md builds one from scratch, and package middlewaretest checks
// that it keeps the contract.
package middleware
