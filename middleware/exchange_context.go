package middleware

import (
	"context"
	"slices"
	"time"
)

var _ context.Context = (*Exchange)(nil)

// after is a function that AfterFunc registered, or somebody in Await.
type after struct {
	ex   *Exchange // whose context it waits for; nil for a free place
	f    func()
	turn chan<- struct{} // is sent to instead, in Await
	id   uint32
}

func (a after) run() {
	if a.f != nil {
		a.f()
		return
	}
	select {
	case a.turn <- struct{}{}:
	default: // it has something to look at already
	}
}

// cause is why the context of an exchange ended.
type cause struct {
	err   error // that of a limit, else the context's
	late  bool  // it was a limit
	early bool  // the exchange had not ended by itself
}

// The causes that come with every call, and with attempts that are not needed any more.
var (
	finished = &cause{err: context.Canceled}
	givenUp  = &cause{err: context.Canceled, early: true}
)

func endedWith(err error) *cause { return &cause{err: err, early: true} }

// between is a context that a stage derived from the exchange above and passed on.
type between struct {
	context.Context
	unhook func() bool // stops watching it; may be nil
}

// Deadline is the earliest of the caller's deadline and the limits of this
// exchange and of those above it.
func (e *Exchange) Deadline() (time.Time, bool) {
	at, ok := e.call.ctx().Deadline()
	for x := e; x != nil; x = x.up {
		m := x.more.Load()
		if m == nil || m.between == nil {
			continue
		}
		if d, has := m.between.Deadline(); has && (!ok || d.Before(at)) {
			at, ok = d, true
		}
	}
	e.call.mu.Lock()
	defer e.call.mu.Unlock()
	next := never
	for i := range e.call.limits {
		if l := &e.call.limits[i]; e.within(l.ex) {
			next = min(next, l.at)
		}
	}
	if next != never {
		if t := next.time(); !ok || t.Before(at) {
			at, ok = t, true
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
		if e.why.Load() != nil {
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
	if e.why.Load() == nil && !c.listening {
		// Nobody watches the caller's context and the limits yet, so look.
		if err := c.ctx().Err(); err != nil {
			ends = c.cancelBelow(nil, endedWith(err), nil)
		} else {
			ends = c.cancelLate()
		}
	}
	err := e.err()
	c.mu.Unlock()
	ends.run()
	return err
}

// err is the context's error.
func (e *Exchange) err() error {
	switch why := e.why.Load(); {
	case why == nil:
		return nil
	case why.late:
		return context.DeadlineExceeded
	default:
		return why.err
	}
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
	if e.why.Load() != nil {
		go f()
		return func() bool { return false }
	}
	place, id := c.remember(after{ex: e, f: f})
	c.listen()
	return func() bool { return c.forget(place, id) }
}

// remember finds a place for a. c.mu is held.
func (c *call) remember(a after) (place int, id uint32) {
	place = slices.IndexFunc(c.afters, func(a after) bool { return a.ex == nil })
	if place < 0 {
		place = len(c.afters)
		c.afters = append(c.afters, after{})
	}
	// An id is never used again: context.WithTimeout calls stop a second time
	// when its place may already be somebody else's.
	c.afterID++
	a.id = c.afterID
	c.afters[place] = a
	return place, a.id
}

func (c *call) forget(place int, id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.afters[place].id != id {
		return false
	}
	c.afters[place] = after{}
	return true
}

// nextAfter takes one that waits for the context of e; ok is false if there is none left.
func (c *call) nextAfter(e *Exchange) (a after, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, a := range c.afters {
		if a.ex == e {
			c.afters[i] = after{}
			return a, true
		}
	}
	return after{}, false
}

// follow has the attempt e end with ctx, if a stage between derived that from
// the exchange above: with context.WithTimeout, for example.
func (e *Exchange) follow(above *Exchange, ctx context.Context) {
	if x, ok := ctx.(*Exchange); ok && x.call == e.call {
		return // nothing in between
	}
	b := &between{Context: ctx}
	e.extra().between = b
	if done := ctx.Done(); done != nil && done != above.Done() {
		b.unhook = context.AfterFunc(ctx, func() {
			err := ctx.Err() // which may ask the exchange above, so before the lock
			e.call.mu.Lock()
			ends := e.call.cancelBelow(e, endedWith(err), nil)
			e.call.mu.Unlock()
			ends.run()
		})
	}
}

// listen begins to watch the caller's context and the limits. It holds off
// until somebody asks for Done, because a call whose base never does (an
// answer from a cache, a refusal) has no use for an alarm. c.mu is held.
func (c *call) listen() {
	if c.listening || c.live == nil {
		return
	}
	c.listening = true
	if own, ok := c.ctx().(afterFuncer); ok {
		c.needAlarm()
		c.alarm.unhook = own.AfterFunc(c.alarm.ring)
	} else if c.ctx().Done() != nil {
		c.needAlarm()
		c.alarm.unhook = context.AfterFunc(c.ctx(), c.alarm.ring)
	}
	c.arm()
}

// afterFuncer is a context that context.AfterFunc would ask in the end, after four
// allocations: an exchange of a pipeline further out, or one that several calls share.
type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

// cancelBelow cancels the contexts of root and of every exchange within it (of
// all, for a nil root). c.mu is held; what comes of it runs after the unlock.
func (c *call) cancelBelow(root *Exchange, why *cause, ends endings) endings {
	for e := c.live; e != nil; e = e.next {
		if e.why.Load() == nil && e.within(root) {
			ends = append(ends, e.cancel(why))
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
func (e *Exchange) cancel(why *cause) ending {
	e.why.Store(why)
	if e.done != nil {
		close(e.done)
	}
	d := ending{ex: e, settle: e.phase == streaming}
	for _, a := range e.call.afters {
		d.afters = d.afters || a.ex == e
	}
	return d
}

// ending is the work that the end of a context leaves, done without the lock.
type ending struct {
	ex     *Exchange
	afters bool // functions wait for it
	settle bool // its body is open, so nobody else will
}

type endings []ending

func (es endings) run() {
	for _, d := range es {
		if !d.afters {
			continue
		}
		for a, ok := d.ex.call.nextAfter(d.ex); ok; a, ok = d.ex.call.nextAfter(d.ex) {
			a.run()
		}
	}
	// Innermost first, as a body's end would.
	for i := len(es) - 1; i >= 0; i-- {
		if es[i].settle {
			es[i].ex.endAborted(nil)
		}
	}
}
