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

// wait queues for a permit.
func (g *gate) wait(ex *middleware.Exchange, req *http.Request, s *settings) (grant, *refusal) {
	w, cause := g.waiter(ex, req, s)
	if r := g.enqueue(w, s, cause); r != nil {
		return grant{}, r
	}
	select {
	case <-w.Done():
		if w.Fate() == nil {
			return grant{w.Grant.Number, w.Grant.InUse, w.Grant.Limit}, nil
		}
		if w.Fate() != ErrTooLate {
			cause = nil
		}
		return grant{}, &refusal{w.Fate(), cause, g.drained()}
	case <-ex.Done():
	}
	g.mu.Lock()
	waited := g.queue.Remove(w)
	if waited {
		g.waiting.Add(-1)
	}
	g.mu.Unlock()
	if !waited && w.Fate() == nil {
		g.release() // granted in the same instant
	}
	if errors.Is(ex.Err(), context.DeadlineExceeded) {
		return grant{}, &refusal{ErrTooLate, ex.Err(), g.drained()}
	}
	return grant{}, &refusal{err: ErrCanceled, cause: ex.Err()}
}

// waiter is a request that comes now. It must have its permit within max_wait,
// and while its deadline leaves the reserve. cause is the deadline's error if
// that is what bounds it.
func (g *gate) waiter(ex *middleware.Exchange, req *http.Request, s *settings) (w *queue.Waiter, cause error) {
	now := time.Now()
	by := now.Add(s.MaxWait)
	deadline, hurried := ex.Deadline()
	if hurried {
		if at := deadline.Add(-g.reserve(s)); at.Before(by) {
			by, cause = at, context.DeadlineExceeded
		}
	}
	w = queue.NewWaiter(by)
	w.Since, w.Patient, w.Priority = now, !hurried, ex.Priority()
	if s.tenant != nil {
		w.Tenant = s.tenant(req)
	}
	return w, cause
}

// reserve is the time that a request must have left when it gets its permit.
func (g *gate) reserve(s *settings) time.Duration {
	if s.Reserve > 0 {
		return s.Reserve
	}
	return g.service.Value()
}

func (g *gate) enqueue(w *queue.Waiter, s *settings, cause error) *refusal {
	if w.By.Before(w.Since) {
		return &refusal{ErrTooLate, cause, 0}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue.Ageing, g.queue.Target = s.Ageing, s.TargetWait
	if wait, known := g.forecast(w); known && w.Since.Add(wait).After(w.By) {
		return &refusal{ErrTooLate, cause, wait}
	}
	if g.queue.Len() >= s.Queue {
		victim := g.queue.Displace(w)
		if victim == nil {
			return &refusal{ErrQueueFull, nil, g.drained()}
		}
		g.finish(victim, ErrQueueFull)
	}
	g.queue.Push(w)
	g.waiting.Add(1)
	g.queued.Add(1)
	g.serve() // a permit may have come back in between
	g.arm()
	return nil
}

// certainly is the share of a forecast that is taken for certain: some of those
// ahead may give up, and the pace may rise.
const certainly = 0.6

// forecast is how long w would wait at least: for those ahead of it, at the pace
// at which permits come back. Refusing it loses nothing: the queue that it
// leaves keeps the upstream busy until after its own time.
func (g *gate) forecast(w *queue.Waiter) (wait time.Duration, known bool) {
	interval := g.interval.value()
	if interval == 0 {
		return 0, false
	}
	if w.Since.Add(time.Duration(float64(g.queue.Len()) * interval)).Before(w.By) {
		return 0, true // not even behind all of them
	}
	return time.Duration(certainly * float64(g.queue.Ahead(w)) * interval), true
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
