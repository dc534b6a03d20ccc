package ratelimit

import (
	"context"
	"errors"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// slack absorbs the rounding of token arithmetic where times are compared: a
// wait of exactly max_wait is allowed, a token that comes with the deadline is too late.
const slack = time.Microsecond

// wait blocks until the request whose context ctx is has its token (nil) or gets none. No token is
// ever taken for somebody else, so one who gives up takes none along.
func (b *bucket) wait(ctx context.Context, ex *middleware.Exchange, cost int) *refusal {
	w, refused := b.enter(ctx, ex, cost)
	if w == nil {
		return refused
	}
	for ctx.Err() == nil {
		if b.decided(w) {
			return w.refusal
		}
		ex.Await(ctx, w.turn, w.until)
	}
	return b.abandon(ctx, w, ex)
}

// enter queues the request, if its turn comes in time and if it makes nobody
// late who is queued already, but for those of lower priority. Without a
// waiter, the matter is decided.
func (b *bucket) enter(ctx context.Context, ex *middleware.Exchange, cost int) (*waiter, *refusal) {
	deadline, ok := ctx.Deadline()
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.adopt(now)
	if len(b.queue) == 0 && b.take(now, cost) {
		return nil, nil // it came in between
	}
	w := &waiter{until: now.Add(b.cfg.MaxWait + slack), cost: cost}
	if ok && deadline.Add(-slack).Before(w.until) {
		w.until, w.cause = deadline.Add(-slack), context.DeadlineExceeded
	}
	w.rank(ex.Priority(), b.cfg.Ageing)
	stay := b.queue
	if n := len(b.queue); n >= b.cfg.Queue {
		if n == 0 || b.queue[n-1].priority >= w.priority {
			return nil, b.refuse(&refusal{err: ErrQueueFull, after: b.last(now, cost)})
		}
		stay = b.queue[:n-1]
	}
	place, fits := stay.place(w.order), true
	f := b.forecast(now)
	f.pass(stay[:place])
	if at := f.next(1, cost); at.After(w.until) {
		return nil, b.refuse(&refusal{err: ErrTooLate, cause: w.cause, after: at.Sub(now)})
	}
	for _, other := range stay[place:] {
		ahead := f
		if at := f.next(1, other.cost); !at.After(other.until) {
			continue
		}
		if other.priority >= w.priority {
			return nil, b.refuse(&refusal{err: ErrTooLate, cause: w.cause, after: b.last(now, cost)})
		}
		f, fits = ahead, false
	}
	if len(stay) < len(b.queue) {
		b.dismiss(b.queue[len(stay)], &refusal{err: ErrQueueFull, after: b.last(now, 0)})
		b.queue[len(stay)] = nil
		b.queue = stay
	}
	w.turn = make(chan struct{}, 1)
	b.queue.insert(place, w)
	b.counts.queued++
	if !fits {
		b.sweep(now) // tells who is late now
	}
	return w, nil
}

// last is how long it would take at the end of the queue. mu is held.
func (b *bucket) last(now time.Time, cost int) time.Duration {
	f := b.forecast(now)
	f.pass(b.queue)
	return f.next(1, cost).Sub(now)
}

// decided tells whether w has its token or a refusal. If not, it is nudged when
// it should ask again: the head when its token is due, the others, whose time
// ends later than the head's, when it is their turn.
func (b *bucket) decided(w *waiter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.refusal != nil {
		return true
	}
	if b.queue.head() != w {
		return false
	}
	now := time.Now()
	if b.take(now, w.cost) {
		b.queue.remove(w)
		b.nudgeHead()
		return true
	}
	// Tokens come late where the program did not get to run in time.
	f := b.forecast(now)
	if at := f.next(1, w.cost); !at.After(w.until) {
		b.wake(max(at.Sub(now), 1))
		return false
	}
	b.sweep(now)
	return w.refusal != nil
}

// wake has the head look again after a while: one timer serves the whole queue. mu is held.
func (b *bucket) wake(after time.Duration) {
	if b.due != nil {
		b.due.Reset(after)
		return
	}
	b.due = time.AfterFunc(after, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.nudgeHead()
	})
}

// abandon takes w off the queue because its context has ended.
func (b *bucket) abandon(ctx context.Context, w *waiter, ex *middleware.Exchange) *refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.queue.remove(w) {
		return w.refusal // it was refused in the same instant
	}
	b.nudgeHead()
	r := &refusal{err: ErrCanceled, cause: ctx.Err()}
	if errors.Is(r.cause, context.DeadlineExceeded) {
		r.err = ErrTooLate
		if cause := ex.Cause(); cause != nil {
			r.cause = cause
		}
	}
	return b.refuse(r)
}

// sweep refuses those whose turn will not come in time any more, and has the
// head look again. mu is held.
func (b *bucket) sweep(now time.Time) {
	f := b.forecast(now)
	kept := b.queue[:0]
	for _, w := range b.queue {
		ahead := f
		if at := f.next(1, w.cost); at.After(w.until) {
			b.dismiss(w, &refusal{err: ErrTooLate, cause: w.cause, after: at.Sub(now)})
			f = ahead
		} else {
			kept = append(kept, w)
		}
	}
	clear(b.queue[len(kept):])
	b.queue = kept
	b.nudgeHead()
}

// dismiss refuses a waiter, which its caller takes off the queue. mu is held.
func (b *bucket) dismiss(w *waiter, r *refusal) {
	w.refusal = b.refuse(r)
	w.nudge()
}

// refuse counts a refusal. mu is held.
func (b *bucket) refuse(r *refusal) *refusal {
	b.counts.refused++
	return r
}

// nudgeHead has the head of the queue look again. mu is held.
func (b *bucket) nudgeHead() {
	if w := b.queue.head(); w != nil {
		w.nudge()
	} else if b.due != nil {
		b.due.Stop()
	}
}
