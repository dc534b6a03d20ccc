package semaphore

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/queue"
	"github.com/headgate-go/headgate/middleware/semaphore/internal/quantile"
)

// gate is the permits of one key. While there are permits to be had, taking
// and returning one is an atomic operation; the mutex is for waiting.
type gate struct {
	key      string
	settings *atomic.Pointer[settings]
	adaptive *adaptive
	service  *quantile.Window // how long permits are held
	interval average          // nanoseconds between two that come back, when many are in use

	inUse   atomic.Int64
	held    atomic.Int64 // of those in use, the ones that nobody has: see punish
	waiting atomic.Int64 // the length of the queue, to be read without the lock

	mu     sync.Mutex
	queue  *queue.Queue
	expiry *time.Timer // fires when the first of the queue is of no use any more
	fires  time.Time

	admitted, queued, refused, drops atomic.Uint64
	told                             atomic.Int64 // the limit that was last reported, and when
	toldAt                           atomic.Int64
}

// reserved is the quantile of the service times that is kept free before a
// deadline. In overload nearly everybody is served at the last moment at which
// that may be, so what it leaves out is the share of the upstream's work that is
// done in vain. What it takes in costs nothing as long as somebody else waits
// who has more time.
const reserved = 0.99

// grant is a permit, and how things stood when it was given.
type grant struct {
	number uint64 // permits given, with this one
	inUse  int64  // permits in use, with this one
	limit  int64  // how many there were
}

// small is p as a waiter keeps it. More than 2^31 at once is as good as 2^31.
func (p grant) small() queue.Grant {
	return queue.Grant{Number: p.number, InUse: int32(min(p.inUse, math.MaxInt32)), Limit: int32(min(p.limit, math.MaxInt32))}
}

func newGate(key string, s *atomic.Pointer[settings]) *gate {
	g := &gate{key: key, settings: s, adaptive: newAdaptive(s.Load().bounds()), service: quantile.New(reserved), queue: queue.New()}
	g.told.Store(g.adaptive.current.Load())
	return g
}

func (g *gate) idle() bool { return g.inUse.Load() == 0 && g.waiting.Load() == 0 }

func (g *gate) limit(s *settings) int64 {
	if s.adaptive {
		return g.adaptive.current.Load()
	}
	return int64(s.MaxConcurrent)
}

// tryAcquire takes a permit if there is one. It never raises the count above
// the limit, not even for an instant.
func (g *gate) tryAcquire(s *settings) (grant, bool) {
	for {
		n, limit := g.inUse.Load(), g.limit(s)
		if n >= limit {
			return grant{}, false
		}
		if g.inUse.CompareAndSwap(n, n+1) {
			return grant{g.admitted.Add(1), n + 1, limit}, true
		}
	}
}

// release returns a permit. A waiter announces itself before it looks for a
// permit a last time, and the permit is returned before waiting is read: one
// of the two sees the other.
func (g *gate) release() {
	g.inUse.Add(-1)
	g.wake()
}

// wake serves waiters after a permit was returned or the limit has grown.
func (g *gate) wake() {
	if g.waiting.Load() > 0 {
		g.mu.Lock()
		g.serve()
		g.mu.Unlock()
	}
}

// serve hands permits to waiters, and tells those for whom it is too late. mu is held.
func (g *gate) serve() {
	s, now := g.settings.Load(), time.Now()
	for w := g.queue.PopExpired(now); w != nil; w = g.queue.PopExpired(now) {
		g.finish(w, queue.Expired)
	}
	for w := g.queue.PopStale(now); w != nil; w = g.queue.PopStale(now) {
		g.finish(w, queue.Stale)
	}
	for g.queue.Len() > 0 {
		p, ok := g.tryAcquire(s)
		if !ok {
			return
		}
		g.waiting.Add(-1)
		g.queue.Pop(now).Finish(queue.Served, p.small())
	}
}

// finish tells a waiter that was taken off the queue why it gets no permit. mu is held.
func (g *gate) finish(w *queue.Waiter, fate queue.Fate) {
	g.waiting.Add(-1)
	w.Finish(fate, queue.Grant{})
}

// expire drops those for whom it is too late, and looks again when the next
// one is due: one timer serves the whole queue.
func (g *gate) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fires = time.Time{}
	g.serve()
	due := time.Now().Add(1)
	for w := g.queue.PopExpired(due); w != nil; w = g.queue.PopExpired(due) {
		g.finish(w, queue.Expired)
	}
	g.arm()
}

func (g *gate) arm() {
	now := time.Now()
	d, ok := g.queue.NextExpiry(now)
	at := now.Add(d)
	if !ok || !g.fires.IsZero() && !at.Before(g.fires) {
		return
	}
	g.fires = at
	if g.expiry == nil {
		g.expiry = time.AfterFunc(d, g.expire)
	} else {
		g.expiry.Reset(d)
	}
}

// Settle returns the permit of an exchange that has ended.
func (g *gate) Settle(t uint64, end middleware.End) {
	s, tk := g.settings.Load(), token(t)
	if s.adaptive && end.Err != nil && end.Outcome.Status != 0 {
		// The body failed, after headers that were in order.
		x := answer{grant: grant{number: tk.number(g.admitted.Load())}, at: time.Now(), took: tk.held(), issued: g.admitted.Load()}
		if g.adaptive.isDrop(end.Outcome, x.took) {
			g.drops.Add(1)
			g.adaptive.dropped(x)
		}
	}
	g.settle(tk, end.Outcome)
}

// settle returns a permit, and learns how long it was held.
func (g *gate) settle(t token, o middleware.Outcome) {
	switch held := t.held(); {
	case held <= 0:
	case o.Verdict == middleware.Success || o.Verdict == middleware.Invalid || o.Verdict == middleware.Failure && o.Status != 0:
		g.service.Add(held)
		g.interval.add(float64(held) / float64(max(1, g.inUse.Load())))
	case o.Reason == middleware.ReasonDeadline && held < 2*g.service.Value():
		// The reserve was not enough, and nobody knows what would have been: a
		// little more is tried. What took much longer says how patient the
		// caller was, not how long the upstream needs.
		g.service.Add(held + held/4)
	}
	g.release()
}
