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

// wait blocks until the request has its token (nil) or gets none. No token is
// ever taken for somebody else, so one who gives up takes none along.
func (b *bucket) wait(ex *middleware.Exchange) *refusal {
	w, refused := b.enter(ex)
	if w == nil {
		return refused
	}
	done := ex.Done()
	var timer *time.Timer
	for ex.Err() == nil {
		sleep, decided := b.look(w)
		if decided {
			return w.refusal
		}
		// Only the head sleeps until its token is there. The others behind it
		// give up later than it does, and are nudged when it is their turn.
		var due <-chan time.Time
		if sleep > 0 {
			if timer == nil {
				timer = time.NewTimer(sleep)
				defer timer.Stop()
			} else {
				timer.Reset(sleep)
			}
			due = timer.C
		}
		select {
		case <-w.turn:
		case <-due:
		case <-done:
		}
	}
	return b.abandon(w, ex)
}

// enter queues the request, if its turn comes in time and if it makes nobody
// late who is queued already. Without a waiter, the matter is decided.
func (b *bucket) enter(ex *middleware.Exchange) (*waiter, *refusal) {
	deadline, ok := ex.Deadline()
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.adopt(now)
	if len(b.queue) == 0 && b.take(now) {
		return nil, nil // it came in between
	}
	w := &waiter{until: now.Add(b.cfg.MaxWait + slack)}
	if ok && deadline.Add(-slack).Before(w.until) {
		w.until, w.cause = deadline.Add(-slack), context.DeadlineExceeded
	}
	f := b.forecast(now)
	place := b.queue.place(w.until)
	if len(b.queue) >= b.cfg.Queue {
		return nil, b.refuse(&refusal{err: ErrQueueFull, after: f.at(len(b.queue)).Sub(now)})
	}
	if f.at(place).After(w.until) {
		return nil, b.refuse(&refusal{err: ErrTooLate, cause: w.cause, after: f.at(place).Sub(now)})
	}
	for i := place; i < len(b.queue); i++ {
		if f.at(i + 1).After(b.queue[i].until) {
			return nil, b.refuse(&refusal{err: ErrTooLate, cause: w.cause, after: f.at(len(b.queue)).Sub(now)})
		}
	}
	w.turn = make(chan struct{}, 1)
	b.queue.insert(place, w)
	b.counts.queued++
	return w, nil
}

// look tells w how it stands: decided, with a token or a refusal, or else how
// long to sleep, 0 until it is nudged.
func (b *bucket) look(w *waiter) (sleep time.Duration, decided bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w.refusal != nil {
		return 0, true
	}
	if b.queue.head() != w {
		return 0, false
	}
	now := time.Now()
	if b.take(now) {
		b.queue.remove(w)
		b.nudgeHead()
		return 0, true
	}
	// Tokens come late where the program did not get to run in time.
	if at := b.forecast(now).at(0); !at.After(w.until) {
		return max(at.Sub(now), 1), false
	}
	b.sweep(now)
	return 0, w.refusal != nil
}

// abandon takes w off the queue because its context has ended.
func (b *bucket) abandon(w *waiter, ex *middleware.Exchange) *refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.queue.remove(w) {
		return w.refusal // it was refused in the same instant
	}
	b.nudgeHead()
	r := &refusal{err: ErrCanceled, cause: ex.Err()}
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
		if at := f.at(len(kept)); at.After(w.until) {
			w.refusal = b.refuse(&refusal{err: ErrTooLate, cause: w.cause, after: at.Sub(now)})
			w.nudge()
		} else {
			kept = append(kept, w)
		}
	}
	clear(b.queue[len(kept):])
	b.queue = kept
	b.nudgeHead()
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
	}
}
