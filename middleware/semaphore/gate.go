package semaphore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/quantile"
	"github.com/headgate-go/headgate/middleware/internal/queue"
)

// gate is the permits of one key. While there are permits to be had, taking
// and returning one is an atomic operation; the mutex is for waiting.
type gate struct {
	key      string
	settings *atomic.Pointer[Config]
	service  *quantile.Window // how long permits are held

	inUse   atomic.Int64
	waiting atomic.Int64 // the length of the queue, to be read without the lock

	mu     sync.Mutex
	queue  queue.Queue
	expiry *time.Timer // fires when the head of the queue is of no use any more
	fires  time.Time

	admitted, queued, refused atomic.Uint64
}

func newGate(key string, settings *atomic.Pointer[Config]) *gate {
	return &gate{key: key, settings: settings, service: quantile.New(0.95)}
}

func (g *gate) idle() bool { return g.inUse.Load() == 0 && g.waiting.Load() == 0 }

// tryAcquire takes a permit if there is one. It never raises the count above
// the limit, not even for an instant.
func (g *gate) tryAcquire(limit int) bool {
	for {
		n := g.inUse.Load()
		if n >= int64(limit) {
			return false
		}
		if g.inUse.CompareAndSwap(n, n+1) {
			g.admitted.Add(1)
			return true
		}
	}
}

// release returns a permit. A waiter announces itself before it looks for a
// permit a last time, and the permit is returned before waiting is read: one
// of the two sees the other.
func (g *gate) release() {
	g.inUse.Add(-1)
	if g.waiting.Load() > 0 {
		g.mu.Lock()
		g.serve()
		g.mu.Unlock()
	}
}

// Settle returns the permit of an exchange that has ended. The token is when
// it was taken, if that is to be learned from.
func (g *gate) Settle(token uint64, end middleware.End) {
	g.learn(token, end.Outcome.Verdict)
	g.release()
}

func (g *gate) learn(since uint64, v middleware.Verdict) {
	if since != 0 && v != middleware.Neutral {
		g.service.Add(time.Since(epoch) - time.Duration(since))
	}
}

// serve hands permits to waiters. mu is held.
func (g *gate) serve() {
	limit := g.settings.Load().MaxConcurrent
	now := time.Now()
	for w := g.queue.Head(); w != nil; w = g.queue.Head() {
		if w.By.Before(now) {
			g.drop(w, ErrTooLate)
			continue
		}
		if !g.tryAcquire(limit) {
			break
		}
		g.remove(w)
		w.Finish(nil)
	}
}

func (g *gate) remove(w *queue.Waiter) bool {
	if !g.queue.Remove(w) {
		return false
	}
	g.waiting.Add(-1)
	return true
}

func (g *gate) drop(w *queue.Waiter, why error) {
	if g.remove(w) {
		w.Finish(why)
	}
}

// expire drops those for whom it is too late, and looks again when the next
// one is due: one timer serves the whole queue.
func (g *gate) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fires = time.Time{}
	g.serve()
	for w := g.queue.Head(); w != nil && !w.By.After(time.Now()); w = g.queue.Head() {
		g.drop(w, ErrTooLate)
	}
	g.arm()
}

func (g *gate) arm() {
	w := g.queue.Head()
	if w == nil || !g.fires.IsZero() && !w.By.Before(g.fires) {
		return
	}
	g.fires = w.By
	if d := time.Until(w.By); g.expiry == nil {
		g.expiry = time.AfterFunc(d, g.expire)
	} else {
		g.expiry.Reset(d)
	}
}

// wait queues for a permit. The returned error is a sentinel of this package,
// cause the context's error where that is why.
func (g *gate) wait(ctx context.Context, cfg *Config) (err, cause error) {
	now := time.Now()
	by, cause := g.serveBy(ctx, cfg, now)
	if by.Before(now) {
		return ErrTooLate, cause
	}
	w := queue.NewWaiter(by)
	if err := g.enqueue(w, cfg); err != nil {
		return err, nil
	}
	select {
	case <-w.Done():
		if w.Fate() == nil {
			return nil, nil
		}
		return w.Fate(), cause
	case <-ctx.Done():
	}
	g.mu.Lock()
	waited := g.remove(w)
	g.mu.Unlock()
	if !waited && w.Fate() == nil {
		g.release() // granted in the same instant
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrTooLate, ctx.Err()
	}
	return ErrCanceled, ctx.Err()
}

// serveBy is when a request that comes now must have its permit: within
// max_wait, and while its deadline leaves the reserve. cause is the deadline's
// error if that is what bounds it.
func (g *gate) serveBy(ctx context.Context, cfg *Config, now time.Time) (by time.Time, cause error) {
	by = now.Add(cfg.MaxWait)
	if deadline, ok := ctx.Deadline(); ok {
		reserve := cfg.Reserve
		if reserve == 0 {
			reserve = g.service.Value()
		}
		if at := deadline.Add(-reserve); at.Before(by) {
			return at, context.DeadlineExceeded
		}
	}
	return by, nil
}

func (g *gate) enqueue(w *queue.Waiter, cfg *Config) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queue.Len() >= cfg.Queue {
		return ErrQueueFull
	}
	g.queue.Push(w)
	g.waiting.Add(1)
	g.queued.Add(1)
	g.serve() // a permit may have come back in between
	g.arm()
	return nil
}
