package semaphore

import (
	"context"
	"errors"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/queue"
)

// refusal is why somebody gets no permit.
type refusal struct {
	err   error         // a sentinel of this package
	cause error         // the context's error where that is why
	after time.Duration // when it makes sense to come back; 0 if that is not known
}

// refused are the sentinels for the fates that have nothing to do with time.
var refused = [...]error{queue.Displaced: ErrQueueFull, queue.Stale: ErrShed}

// wait queues for a permit.
func (g *gate) wait(ex *middleware.Exchange, req *http.Request, s *settings) (grant, *refusal) {
	a, cause := g.arrival(ex, req, s)
	w, r := g.enqueue(a, s, cause)
	if r != nil {
		return grant{}, r
	}
	ctx := req.Context()
	for !g.decided(w) && ctx.Err() == nil {
		ex.Await(ctx, w.Turn(), a.By)
	}
	fate, p := g.leave(w)
	gone := ctx.Err()
	switch {
	case gone == nil && fate == queue.Served:
		return grant{p.Number, int64(p.InUse), int64(p.Limit)}, nil
	case fate == queue.Served:
		g.release() // granted in the same instant
	case fate == queue.Expired:
		return grant{}, &refusal{ErrTooLate, cause, g.drained()}
	case fate != queue.Waiting:
		return grant{}, &refusal{refused[fate], nil, g.drained()}
	}
	if errors.Is(gone, context.DeadlineExceeded) {
		return grant{}, &refusal{ErrTooLate, gone, g.drained()}
	}
	return grant{}, &refusal{err: ErrCanceled, cause: gone}
}

func (g *gate) decided(w *queue.Waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	fate, _ := w.Fate()
	return fate != queue.Waiting
}

// leave takes w off the queue if it still waits, and tells its fate.
func (g *gate) leave(w *queue.Waiter) (queue.Fate, queue.Grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queue.Remove(w) {
		g.waiting.Add(-1)
	}
	return w.Fate()
}

// arrival is a request that comes now. It must have its permit within max_wait,
// and while its deadline leaves the reserve. cause is the deadline's error if
// that is what bounds it.
func (g *gate) arrival(ex *middleware.Exchange, req *http.Request, s *settings) (a queue.Arrival, cause error) {
	now := time.Now()
	a = queue.Arrival{By: now.Add(s.MaxWait), Since: now, Priority: ex.Priority()}
	deadline, hurried := req.Context().Deadline()
	a.Patient = !hurried
	if hurried {
		// Relative to now, because the clock on the wall can be set while it waits.
		if at := now.Add(deadline.Sub(now) - g.reserve(s)); at.Before(a.By) {
			a.By, cause = at, context.DeadlineExceeded
		}
	}
	if s.tenant != nil {
		a.Tenant = s.tenant(req)
	}
	return a, cause
}

// reserve is the time that a request must have left when it gets its permit.
func (g *gate) reserve(s *settings) time.Duration {
	if s.Reserve > 0 {
		return s.Reserve
	}
	return g.service.Value()
}

func (g *gate) enqueue(a queue.Arrival, s *settings, cause error) (*queue.Waiter, *refusal) {
	if a.By.Before(a.Since) {
		return nil, &refusal{ErrTooLate, cause, 0}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue.Ageing, g.queue.Target = s.Ageing, s.TargetWait
	if wait, known := g.forecast(a); known && a.Since.Add(wait).After(a.By) {
		return nil, &refusal{ErrTooLate, cause, wait}
	}
	if g.queue.Len() >= s.Queue {
		victim := g.queue.Displace(a)
		if victim == nil {
			return nil, &refusal{ErrQueueFull, nil, g.drained()}
		}
		g.finish(victim, queue.Displaced)
	}
	w := g.queue.Push(a)
	g.waiting.Add(1)
	g.queued.Add(1)
	g.serve() // a permit may have come back in between
	g.arm()
	return w, nil
}

// certainly is the share of a forecast that is taken for certain: some of those
// ahead may give up, and the pace may rise.
const certainly = 0.6

// forecast is how long a would wait at least: for those ahead of it, at the pace
// at which permits come back. Refusing it loses nothing: the queue that it
// leaves keeps the upstream busy until after its own time.
func (g *gate) forecast(a queue.Arrival) (wait time.Duration, known bool) {
	interval := g.interval.value()
	if interval == 0 {
		return 0, false
	}
	if a.Since.Add(time.Duration(float64(g.queue.Len()) * interval)).Before(a.By) {
		return 0, true // not even behind all of them
	}
	return time.Duration(certainly * float64(g.queue.Ahead(a)) * interval), true
}

// drained is about when those who wait now will have been served; 0 if that is not known.
func (g *gate) drained() time.Duration {
	return time.Duration(float64(g.waiting.Load()+1) * g.interval.value())
}

// average is a running mean over about the last hundred samples. Of two that
// come at the same time one may be lost.
type average struct{ bits atomic.Uint64 }

func (a *average) value() float64 { return math.Float64frombits(a.bits.Load()) }

func (a *average) add(x float64) {
	v := a.value()
	if v == 0 {
		v = x
	}
	a.bits.Store(math.Float64bits(v + (x-v)/100))
}
