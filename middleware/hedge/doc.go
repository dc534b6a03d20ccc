// Package hedge sends a second copy of a request when the first has no answer
// after a delay, and takes the answer that comes first. It cuts the tail of an
// upstream of which some answers are slow, for a few more requests (Dean and
// Barroso, The Tail at Scale, 2013).
//
// A copy is sent only for a request that is safe (RFC 9110, section 9.2.1) or
// that the application allows it for, whose body can be sent again, and only
// until the headers of an answer are there. A budget bounds how many: a
// share of the requests of a while. An upstream that pushes back (429, 503) gets
// no copies for a while, and a deadline that leaves no time for an answer
// prevents one.
//
// The answer that is taken is the first good one. While a copy is in flight, an
// attempt that failed waits for it; a call that fails before the delay fails
// at once, which is the business of retry. What loses is cancelled and
// closed. To the stages below it is neutral: a loser is no failure of the upstream.
//
// Place it inside retry and outside circuit_breaker, rate_limit and semaphore:
// every copy is a request to the upstream, so it passes the breaker, pays a
// token and takes a slot. A copy that they refuse is forgotten. Inside retry,
// because each attempt may be slow.
//
// The first attempt runs in the caller's goroutine and a copy in that of the
// timer which sends it: an answer before the delay costs no goroutine, and a
// panic of the first keeps its stack. When a copy wins, the first attempt is
// cancelled and the call returns as soon as it comes back. Over a base that
// pays no attention to its context (net/http's does) the winner has to wait for
// that, as the call would have without a copy.
package hedge
