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
// A second budget counts units, of which a request takes more or less: tokens of
// a language model for example. They are reserved from an estimate (Cost,
// WithCost, or what a provider stage in the chain tells through
// middleware.Inspector) before the request goes, and corrected by what is
// reported after it (Report, WithActual, or middleware.Exchange.ReportUsage); a
// correction may leave a debt.
//
// A 429 with a hint when to come back is obeyed for all: no request of that
// authority gets a token before then. After it they come back at half of the
// rate that the upstream was seen to accept before, and then faster, so that
// the stage need not be told the upstream's limit (see ramp). With the learn
// setting, the limits that responses tell in their header are kept to as well.
// A token whose request was not sent is given back.
//
// Requests with a higher middleware.WithPriority go first, with ageing, so that
// nobody starves.
//
// Waiting requests block in their own goroutines. Only the head of the queue
// asks for a token, when it is due, and never ahead: a token that is promised
// to somebody who then gives up would be lost (golang/go#56924).
//
// Place it inside retry, so that each attempt pays a token, and outside
// semaphore, so that no permit is held by a request that waits for its token.
package ratelimit
