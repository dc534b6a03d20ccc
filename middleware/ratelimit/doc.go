// Package ratelimit keeps requests to a rate, so that an upstream with a quota
// is asked no more often than it allows.
//
// It is a token bucket on golang.org/x/time/rate, one for each authority, with
// a bounded queue in front of it. A request that finds a token goes at once; any
// other waits for its turn, if its turn comes in time, and is refused at once if
// it does not. Whoever gives up first is served first: that is the earlier of
// the request's deadline and max_wait after it came, so requests without a
// deadline are served in the order in which they came, and none starves. Who
// has been let in is not pushed out by who comes later.
//
// A 429 with a hint when to come back is obeyed for all: no request of that
// authority gets a token before then, and after it they go one by one, at the
// rate, not in a burst. A token whose request a stage further in refuses is
// given back.
//
// Waiting requests block in their own goroutines. Only the head of the queue
// asks for a token, when it is due, and never ahead: a token that is promised
// to somebody who then gives up would be lost (golang/go#56924).
//
// Place it inside retry, so that each attempt pays a token, and outside
// semaphore, so that no permit is held by a request that waits for its token.
package ratelimit
