// Command overload compares HTTP clients on an upstream that gets more requests
// than it can serve: 20 slots of 50 ms, which is 400 requests per second.
//
// Two forms of load, each request with a deadline of 2 s and a prompt of its own:
//
//   - staged: 100 to 1000 requests per second in ten steps of 800 ms. The upstream
//     has room for 40 to wait and answers 503 at once beyond that.
//   - flat: 1000 requests per second for 8 s. The upstream lets everybody wait, and
//     finishes what nobody waits for any more.
//
// The load is open: requests come at their time, whether earlier ones were answered
// or not. Each client has an upstream of its own on loopback. The ceiling is what a
// perfect queue could have answered in time, computed from the arrivals of the same
// run, so that a machine that is late does not flatter anybody.
//
//	go run ./overload                  # a table for each form, about three minutes
//	go run ./overload -short           # a quarter of the time, deadlines included
//	go run ./overload -form flat -json # one form, the figures as JSON
//	go run ./overload -out .           # the charts, and the tables into results.md
package main
