package httpcache

import (
	"context"
	"slices"
	"sync"
	"time"
)

// flightContext is the context of an upstream request that several callers wait
// for. It has the values of the one who began, ends when the last one has left,
// with the error of that one's context, and its deadline is the latest of theirs.
// A context of the standard library can't end with DeadlineExceeded at a time
// that is not known in advance, and what the upstream's hanging means to a
// circuit breaker depends on that error.
type flightContext struct {
	values context.Context

	mu        sync.Mutex
	done      chan struct{}
	err       error
	deadline  time.Time // zero: somebody has none
	afters    []after
	first     [1]after // room for afters: one is enough as a rule, that of the upstream's exchange
	lastAfter int
}

type after struct {
	id int
	f  func()
}

// flightKey finds the flight that a context belongs to.
type flightKey struct{}

// include moves the deadline to that of ctx, if it is later.
func (c *flightContext) include(ctx context.Context, first bool) {
	at, ok := ctx.Deadline()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !ok:
		c.deadline = time.Time{}
	case first || !c.deadline.IsZero() && at.After(c.deadline):
		c.deadline = at
	}
}

// end ends the context, once.
func (c *flightContext) end(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
	afters := c.afters
	c.afters = nil
	c.mu.Unlock()
	for _, a := range afters {
		a.f()
	}
}

// Deadline is the latest one of all who wait.
func (c *flightContext) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deadline, !c.deadline.IsZero()
}

// Done is closed when the last one has left.
func (c *flightContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err is nil until then.
func (c *flightContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// AfterFunc runs f, which must not block, when the context ends. The context
// package looks for this method, and starts a goroutine where there is none.
func (c *flightContext) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	c.lastAfter++
	id := c.lastAfter
	if c.afters == nil {
		c.afters = c.first[:0]
	}
	c.afters = append(c.afters, after{id, f})
	return func() bool { return c.forget(id) }
}

func (c *flightContext) forget(id int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.afters)
	c.afters = slices.DeleteFunc(c.afters, func(a after) bool { return a.id == id })
	return len(c.afters) < n
}
