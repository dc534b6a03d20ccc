package middleware

import (
	"context"
	"slices"
	"time"
)

var _ context.Context = (*Exchange)(nil)

// after is a function that AfterFunc registered.
type after struct {
	f  func()
	id uint64 // 0 for a free place
}

// Deadline is the earliest of the caller's deadline and the limits of this
// exchange and of those above it.
func (e *Exchange) Deadline() (time.Time, bool) {
	at, ok := e.call.ctx.Deadline()
	for x := e; x != nil; x = x.up {
		if x.between == nil {
			continue
		}
		if d, has := x.between.Deadline(); has && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	e.call.mu.Lock()
	defer e.call.mu.Unlock()
	for x := e; x != nil; x = x.up {
		for _, l := range x.limits {
			if !ok || l.at.Before(at) {
				at, ok = l.at, true
			}
		}
	}
	return at, ok
}

// Done is closed when the exchange ends, when a limit is reached, or when the
// caller's context ends.
func (e *Exchange) Done() <-chan struct{} {
	c := e.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.done == nil {
		e.done = make(chan struct{})
		if e.err != nil {
			close(e.done)
		}
	}
	c.listen()
	return e.done
}

// Err is nil while the exchange lives, then context.Canceled or
// context.DeadlineExceeded.
func (e *Exchange) Err() error {
	c := e.call
	c.mu.Lock()
	var ends endings
	if e.err == nil && !c.listening {
		// Nobody watches the caller's context and the limits yet, so look.
		if err := c.ctx.Err(); err != nil {
			ends = c.cancelBelow(nil, err, nil, nil)
		} else {
			ends = c.cancelLate()
		}
	}
	err := e.err
	c.mu.Unlock()
	ends.run()
	return err
}

// Value gives the caller's value for key.
func (e *Exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return e
	}
	return e.caller.Context().Value(key)
}

// AfterFunc runs f when the exchange's context ends, at once in a goroutine of
// its own if it already has. The context package looks for this method: with
// it, deriving a context from an exchange starts no goroutine. f must not block.
func (e *Exchange) AfterFunc(f func()) (stop func() bool) {
	c := e.call
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err != nil {
		go f()
		return func() bool { return false }
	}
	place := slices.IndexFunc(e.afters, func(a after) bool { return a.id == 0 })
	if place < 0 {
		place = len(e.afters)
		e.afters = append(e.afters, after{})
	}
	// An id is never used again: context.WithTimeout calls stop a second time
	// when its place may already be somebody else's.
	c.afterID++
	id := c.afterID
	e.afters[place] = after{f: f, id: id}
	c.listen()
	return func() bool { return e.forget(place, id) }
}

func (e *Exchange) forget(place int, id uint64) bool {
	e.call.mu.Lock()
	defer e.call.mu.Unlock()
	if place >= len(e.afters) || e.afters[place].id != id {
		return false
	}
	e.afters[place] = after{}
	return true
}

// follow has the attempt e end with ctx, if a stage between derived that from
// the exchange above: with context.WithTimeout, for example.
func (e *Exchange) follow(above *Exchange, ctx context.Context) {
	if x, ok := ctx.(*Exchange); ok && x.call == e.call {
		return // nothing in between
	}
	e.between = ctx
	if done := ctx.Done(); done != nil && done != above.Done() {
		e.unhook = context.AfterFunc(ctx, func() {
			err := ctx.Err() // which may ask the exchange above, so before the lock
			e.call.mu.Lock()
			ends := e.call.cancelBelow(e, err, nil, nil)
			e.call.mu.Unlock()
			ends.run()
		})
	}
}

// listen begins to watch the caller's context and the limits. It holds off
// until somebody asks for Done, because a call whose base never does (an
// answer from a cache, a refusal) has no use for a timer. c.mu is held.
func (c *call) listen() {
	if c.listening || len(c.live) == 0 {
		return
	}
	c.listening = true
	if c.ctx.Done() != nil {
		c.unhook = context.AfterFunc(c.ctx, c.callerDone)
	}
	c.arm()
}

func (c *call) callerDone() {
	c.mu.Lock()
	ends := c.cancelBelow(nil, c.ctx.Err(), nil, nil)
	c.mu.Unlock()
	ends.run()
}

// cancelBelow cancels the contexts of root and of every exchange within it (of
// all, for a nil root). c.mu is held; what comes of it runs after the unlock.
func (c *call) cancelBelow(root *Exchange, err, cause error, ends endings) endings {
	for _, e := range c.live {
		if e.err == nil && e.within(root) {
			e.broken.Store(true)
			ends = append(ends, e.cancel(err, cause))
		}
	}
	return ends
}

func (e *Exchange) within(root *Exchange) bool {
	for x := e; x != nil; x = x.up {
		if x == root {
			return true
		}
	}
	return root == nil
}

// cancel ends the exchange's context. c.mu is held.
func (e *Exchange) cancel(err, cause error) ending {
	e.err, e.cause = err, cause
	if e.done != nil {
		close(e.done)
	}
	d := ending{ex: e, afters: e.afters, settle: e.phase == streaming}
	e.afters = nil
	return d
}

// ending is the work that the end of a context leaves, done without the lock.
type ending struct {
	ex     *Exchange
	afters []after
	settle bool // its body is open, so nobody else will
}

type endings []ending

func (es endings) run() {
	for _, d := range es {
		for _, a := range d.afters {
			if a.f != nil {
				a.f()
			}
		}
	}
	// Innermost first, as a body's end would.
	for i := len(es) - 1; i >= 0; i-- {
		if es[i].settle {
			es[i].ex.endAborted(nil)
		}
	}
}
