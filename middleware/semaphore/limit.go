package semaphore

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// The shape of the limit's course.
const (
	decrease = 0.9   // of the limit is left after a drop
	cubicC   = 0.004 // how fast it is explored, per round trip cubed
	nearFull = 0.75  // of the limit in use: less than that says nothing about it
	idle     = 0.4   // of the limit in use: so little makes no queue

	shortest = 10 * time.Millisecond // that an answer is taken to need at least
)

// bounds are what the configuration allows.
type bounds struct {
	min, max float64
	initial  float64
}

// adaptive finds how many requests an upstream can work on at once. It is a
// congestion window:
//
//   - Loss first. A drop (the upstream said that it is busy) takes a tenth off,
//     but at most once in a round trip: drops of requests that were sent before
//     the last decrease are its echo.
//   - Growth only by answers to requests that were with the upstream when nearly
//     all of the limit was in use, and never to more than twice of what was (as
//     RFC 7661 has it): by doubling each round trip at first (slow start), and
//     after a decrease along CUBIC (RFC 9438): fast up to just below where the
//     drop was, a while there, then ever faster beyond. Time is counted in round
//     trips, because an upstream may take a millisecond or a minute.
//   - Latency second, see latency: an upstream that queues shows that before it
//     drops anything.
//
// The limit is read without the lock.
type adaptive struct {
	current atomic.Int64

	mu     sync.Mutex
	bounds bounds
	cap    float64 // what the upstream said that it allows; 0 if nothing
	until  time.Time

	limit     float64
	mark      uint64  // the last permit that was given before the last decrease
	slowStart float64 // below this the limit doubles in a round trip
	origin    float64 // where CUBIC levels out
	rounds    float64 // round trips since the last decrease
	success   time.Time
	proven    float64 // the limit at the last success, unless it was on its way back up

	latency latency
}

func newAdaptive(b bounds) *adaptive {
	a := &adaptive{slowStart: math.Inf(1), limit: b.initial}
	a.resize(b)
	return a
}

// resize changes the bounds.
func (a *adaptive) resize(b bounds) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bounds = b
	a.set(a.limit)
}

// set publishes the limit, rounded. mu is held.
func (a *adaptive) set(limit float64) {
	top := a.bounds.max
	if a.cap > 0 {
		top = min(top, a.cap)
	}
	a.limit = min(max(limit, a.bounds.min), top)
	a.current.Store(int64(a.limit + 0.5))
}

// answer is what became of a request that had a permit.
type answer struct {
	grant
	at     time.Time     // when it became known
	took   time.Duration // from the permit to the headers
	issued uint64        // permits given by now
	among  int64         // permits in use by now, with this one
}

// beside is what was in use when the request was sent or when its answer came,
// whichever was more: so many the upstream had to do with in the meantime.
func (x answer) beside() float64 { return float64(max(x.inUse, x.among)) }

// alone tells whether so little of the limit was in use, from the beginning to
// the end, that there was no queue.
func (x answer) alone() bool { return x.beside() < idle*float64(x.limit) }

// succeeded learns from an answer of a healthy upstream. While somebody else is
// learning it is skipped: there will be more. It reports whether there is room
// for more requests than before.
func (a *adaptive) succeeded(x answer) (more bool) {
	if !a.mu.TryLock() {
		return false
	}
	defer a.mu.Unlock()
	before := a.current.Load()
	a.success = x.at
	if a.cap > 0 && x.at.After(a.until) {
		a.cap = 0
	}
	if n := x.beside(); n >= nearFull*float64(x.limit) && x.number > a.mark && a.limit < 2*n && !a.latency.hold {
		a.grow()
	}
	a.listen(x)
	if x.number > a.mark && a.limit >= min(a.proven, a.slowStart) {
		a.proven = max(a.limit, a.latency.before.limit)
	}
	return a.current.Load() > before
}

// grow is called for each answer; there are as many of them in a round trip as the limit is.
func (a *adaptive) grow() {
	if a.limit < a.slowStart {
		a.set(a.limit + 1)
		return
	}
	a.rounds += 1 / a.limit
	plateau := math.Cbrt(max(0, a.origin-a.slowStart) / cubicC)
	target := a.origin + cubicC*math.Pow(a.rounds-plateau, 3)
	a.set(a.limit + min(max(0, target-a.limit), 0.5))
}

// dropped learns from an answer that says that the upstream has too much to
// do. It reports whether the limit went down for it.
func (a *adaptive) dropped(x answer) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if x.number <= a.mark {
		return false
	}
	before := a.current.Load()
	if a.latency.trying() { // what comes is not the work of the latency alone
		if x.number <= a.latency.after {
			a.limit = a.latency.before.limit
		}
		a.latency.cancel()
	}
	after := a.limit * decrease
	if a.outage(x.at) {
		after, a.origin, a.slowStart = a.limit/2, a.proven, a.proven
		a.latency.cancel() // a queue that was there before is none after it
	} else {
		a.origin, a.slowStart = math.Round(a.limit)-1, after
	}
	a.shrink(after, x.issued)
	return a.current.Load() < before
}

// isDrop tells whether an answer says that the upstream has too much to do. A
// 429 that says when to come back is about a rate, and others see to it. An
// answer that did not come in time counts if there was plenty of it: more than
// twice of what is usual. A caller in a hurry says nothing about the upstream.
func (a *adaptive) isDrop(o middleware.Outcome, took time.Duration) bool {
	switch o.Verdict {
	case middleware.Busy:
		return true
	case middleware.Pushback:
		return !o.Hinted
	case middleware.Failure:
		late := o.Reason == middleware.ReasonTimeout || o.Reason == middleware.ReasonDeadline
		base, _ := a.snapshot()
		return late && took > 2*base && (base > 0 || o.Reason == middleware.ReasonTimeout)
	default:
		return false
	}
}

// penalty is how long a permit is out of use at least after a drop.
func (a *adaptive) penalty() time.Duration {
	base, _ := a.snapshot()
	return min(max(base, shortest), time.Second)
}

// snapshot gives what answers usually take, and the limit that the upstream told.
func (a *adaptive) snapshot() (base time.Duration, told int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.latency.base, int(a.cap)
}

// outage tells whether nothing has succeeded for so long that it is not a
// question of how much is sent: less and less is, but what was proven before
// stays known, so that the limit is there again soon after.
func (a *adaptive) outage(now time.Time) bool {
	return !a.success.IsZero() && now.Sub(a.success) > 2*max(a.latency.base, shortest)
}

func (a *adaptive) shrink(limit float64, issued uint64) {
	a.set(limit)
	a.mark, a.rounds = issued, 0
}

// listen does what the latency says.
func (a *adaptive) listen(x answer) {
	before := max(a.limit, a.latency.before.limit)
	limit := a.latency.add(x, a.limit)
	switch {
	case limit < before && !a.latency.trying():
		a.origin, a.slowStart = limit, limit
		a.shrink(limit, x.issued)
	case limit != a.limit: // an experiment begins, or has shown that there is no queue
		a.set(limit)
	}
}

// learnedFor is how long an upstream's word about its limit counts: the
// account's plan may change, and a limit that is never exceeded is never told again.
const learnedFor = 10 * time.Minute

// told learns the limit that the upstream itself states.
func (a *adaptive) told(n int, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cap, a.until = float64(n), now.Add(learnedFor)
	a.set(a.limit)
}
