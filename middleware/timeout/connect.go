package timeout

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

func (b *bound) connect(ex *middleware.Exchange, req *http.Request, next http.RoundTripper, now time.Time) (*http.Response, error) {
	c := &connecting{ex: ex, bound: b}
	b.set(ex, now)
	resp, err := next.RoundTrip(req.WithContext(c.trace(req.Context())))
	b.lift(ex) // there was a connection, even if the base doesn't say so
	if !b.reached(ex) {
		return resp, err
	}
	err = b.late(ex, resp, err)
	if err == error(&b.err) && c.asked.Load() && !c.got.Load() {
		// Of a request without a connection nothing was sent: it can be repeated.
		ex.Decide(middleware.Outcome{Verdict: middleware.Failure, Reason: middleware.ReasonTimeout, Processing: middleware.NeverSent})
	}
	return nil, err
}

// connecting listens for the connection that a request is given.
type connecting struct {
	ex    *middleware.Exchange
	bound *bound
	asked atomic.Bool // the base wants a connection, and so tells of its connections
	got   atomic.Bool
	hooks httptrace.ClientTrace

	// It is the request's context too: net/http's is a context without
	// AfterFunc, for which package context would start a goroutine.
	context.Context
	parent afterFuncer
}

type afterFuncer interface {
	AfterFunc(f func()) (stop func() bool)
}

// trace gives ctx with the hooks, besides the caller's own.
func (c *connecting) trace(ctx context.Context) context.Context {
	c.hooks.GetConn = c.getConn
	c.hooks.GotConn = c.gotConn
	c.Context = httptrace.WithClientTrace(ctx, &c.hooks)
	parent, ok := ctx.(afterFuncer)
	if !ok {
		return c.Context // one of package context, which gets along with its own
	}
	c.parent = parent
	return c
}

// AfterFunc is that of the exchange.
func (c *connecting) AfterFunc(f func()) (stop func() bool) { return c.parent.AfterFunc(f) }

func (c *connecting) getConn(string) { c.asked.Store(true) }

func (c *connecting) gotConn(httptrace.GotConnInfo) {
	c.got.Store(true)
	c.bound.lift(c.ex)
}
