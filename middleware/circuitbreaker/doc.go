// Package circuitbreaker stops sending requests to an upstream that fails, and
// finds out with single requests when it is back.
//
// A breaker is closed while all is well. It opens when too large a share of the
// calls in a window failed, when too many failed in a row, or when too large a
// share was slow. While it is open, every request is refused at once with a
// middleware.RejectedError that says when to come back. When the open time is
// over, the next requests go through as probes: the breaker is half-open. A
// probe that succeeds closes it, one that fails opens it again, for longer.
//
// There is one breaker for each authority, unless configured otherwise, and a
// bound on their number.
//
// What an answer meant is read from the exchange, and counted when the
// exchange ends, so that a body which breaks off is a failure. The caller's
// cancel, a panic, and the refusal of a stage below are never counted.
//
// Place the stage inside retry, so that each attempt counts, and outside
// rate_limit and semaphore, so that a refusal costs no token and no slot.
//
// The three states are those of Michael Nygard's pattern (Release It!, 2007).
package circuitbreaker
