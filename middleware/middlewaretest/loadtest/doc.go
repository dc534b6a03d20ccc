// Package loadtest offers a client more requests than its upstream can serve, and
// counts what comes of it.
//
// A [Load] is open: requests come at their time, whether earlier ones were answered
// or not, as those of independent users do. A closed load, of workers that wait for
// their answers, slows down with the upstream and so hides its overload
// (Schroeder, Wierman and Harchol-Balter, "Open versus closed", NSDI 2006).
//
// [Ceiling] is what a perfect queue in front of the same upstream would have made of
// the same arrivals. A client's share of it says more than its share of all calls,
// which depends on how much too much was offered.
//
// The upstream is the caller's: [middlewaretest.Start] with [middlewaretest.Busy] is
// one with a known capacity. The package needs the standard library alone and keeps
// no state; a Load can be offered by several goroutines at once.
package loadtest
