// Package semaphore bounds how many requests are with an upstream at once, and
// lets a bounded number of others wait for their turn.
//
// An overloaded upstream answers best when it is given just the work that it
// can do: what is above that waits here, where waiting costs little and can be
// given up. Who waits is served in the order of deadlines, earliest first, and
// only as long as it makes sense: a request is turned away as soon as the time
// that it has left is less than the upstream needs (the reserve, learned from
// the service times), so that no capacity is spent on answers that come too
// late. The order follows Earliest Deadline First (Liu and Layland, 1973), with
// the feasibility test that keeps it from wasting work in overload.
//
// Place the stage inside retry, so that no permit is held during a backoff.
// A permit is held until the response's body ends, or, by setting, until its
// headers are there.
package semaphore
