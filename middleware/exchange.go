package middleware

import (
	"context"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Exchange is the state of one call, or of one attempt of it, that the stages
// on the request's way share. It is the context of the requests that they pass
// on. A call's exchange is made once, by Chain or by the first stage that
// joins; a stage that sends more than one attempt makes a Child for each.
//
// An exchange ends exactly once: when RoundTrip returned an error or a response
// without a body, when the response's body was read to its end, failed or was
// closed, when its context ended while the body was open, or when something
// below panicked. Then everything that was registered with OnEnd is settled and
// the context is cancelled.
//
// Its methods as a context are safe for concurrent use. The others are for the
// goroutine that runs the stage's RoundTrip.
type Exchange struct {
	call   *call
	up     *Exchange            // what this is an attempt of; nil for a call
	caller *http.Request        // the request that Join or Child was given
	req    http.Request         // the copy of it that goes on, with the exchange as its context
	more   atomic.Pointer[more] // nil for nearly all

	outcome   *Outcome       // nil as long as nothing is decided, and for a plain success: see status
	outcomeOf *http.Response // the response that outcome was read from, nil when it was decided in advance
	waited    time.Duration
	slots     [2]slot
	why       atomic.Pointer[cause] // the context ended; nil while it lives. Stored with call.mu held

	// Guarded by call.mu.
	done  chan struct{}
	next  *Exchange // in call.live
	outer *Exchange // ends together with this one, because it returned this one's response
	phase phase

	taken   uint8  // of slots
	status  uint16 // of a plain success, which nearly every answer is; else 0
	flags   flags
	attempt uint32 // its number; 0 for a call
	made    uint32 // attempts within this
}

// more is what few exchanges have. Only the goroutine that runs RoundTrip adds to it.
type more struct {
	between  *between // nil if nothing is
	watchers *watcher
	slots    []slot // those that have no room in the exchange
}

// extra is where to add to.
func (e *Exchange) extra() *more {
	m := e.more.Load()
	if m == nil {
		m = new(more)
		e.more.Store(m)
	}
	return m
}

// flags are facts about an exchange that do not change back.
type flags struct{ bits atomic.Uint32 }

const (
	ended    = 1 << iota // settled
	reported             // progress, by a provider stage; bytes don't count then
	repeated             // a stage makes attempts of it as it needs them
)

func (f *flags) has(bit uint32) bool { return f.bits.Load()&bit != 0 }
func (f *flags) set(bit uint32)      { f.bits.Or(bit) }

type phase uint8

const (
	running   phase = iota // RoundTrip has not returned
	streaming              // the response is with the caller, its body is open
	over                   // settled
)

// call is what an exchange and all its children share. One mutex guards the
// tree: it is only contended when something ends from outside.
type call struct {
	root  Exchange
	opts  *options
	model atomic.Pointer[modelKey] // nil until a stage asks for it

	mu        sync.Mutex
	listening bool        // somebody waits for a context of this call: the caller's is watched and the alarm is set
	repeats   uint16      // attempts that a stage makes as it needs them
	afterID   uint32      // of the last AfterFunc
	live      *Exchange   // the root and every attempt that has not ended
	limits    []limit     // of all of them
	afters    []after     // of all of them
	spare     *Exchange   // room for the first attempt
	chain     *chain      // nil outside one
	alarm     *alarm      // nil until it is needed
	body      watchedBody // of the first attempt whose response has one
}

// ctx is the caller's.
func (c *call) ctx() context.Context { return c.root.caller.Context() }

// A call in a chain nearly always has one attempt, with one or two limits and
// a few settlers, half of them the call's: they are allocated together.
type callInChain struct {
	call
	first  Exchange
	limits [2]limit
	afters [1]after
}

type callAlone struct {
	call
	limits [1]limit
	afters [1]after
}

type exchangeKey struct{}

// FromContext gives the exchange that ctx belongs to, nil if there is none or
// if it has ended.
func FromContext(ctx context.Context) *Exchange {
	ex, ok := ctx.(*Exchange)
	if !ok {
		ex, _ = ctx.Value(exchangeKey{}).(*Exchange)
	}
	if ex == nil || ex.flags.has(ended) {
		return nil
	}
	return ex
}

// Join gives the exchange that req belongs to and req itself, or, for a stage
// that is used outside a Chain, a new exchange and a copy of req that belongs
// to it. A stage that joins defers Leave and passes the returned request on:
//
//	func (s *Stage) roundTrip(req *http.Request, next http.RoundTripper) (resp *http.Response, err error) {
//		ex, inner := middleware.Join(req)
//		defer ex.Leave(req, &resp, &err)
//		...
//		return next.RoundTrip(inner)
//	}
func Join(req *http.Request) (*Exchange, *http.Request) {
	if ex := FromContext(req.Context()); ex != nil {
		return ex, req
	}
	return begin(req, nil)
}

// begin starts a call, whatever req belongs to: a pipeline within a pipeline
// settles its own calls. chain is nil outside one.
func begin(req *http.Request, chain *chain) (*Exchange, *http.Request) {
	var c *call
	if chain != nil {
		m := new(callInChain)
		c = &m.call
		c.chain = chain
		c.limits, c.afters = m.limits[:0], m.afters[:0]
		c.spare = &m.first
	} else {
		m := new(callAlone)
		c = &m.call
		c.limits, c.afters = m.limits[:0], m.afters[:0]
	}
	e := &c.root
	inner := e.take(req)
	c.opts, _ = c.ctx().Value(optionsKey{}).(*options)
	c.enter(e)
	e.call = c
	return e, inner
}

// enter makes e one of those that live, behind all others. c.mu is held, unless nobody else knows the call.
func (c *call) enter(e *Exchange) {
	at := &c.live
	for *at != nil {
		at = &(*at).next
	}
	*at = e
}

// leave takes e off those that live. c.mu is held.
func (c *call) leave(e *Exchange) {
	at := &c.live
	for *at != nil && *at != e {
		at = &(*at).next
	}
	if *at == e {
		*at = e.next
	}
}

// take makes the exchange's copy of req. The copy is shallow: a stage that
// changes the header or the URL clones them first.
func (e *Exchange) take(req *http.Request) *http.Request {
	e.caller = req
	e.req = *req.WithContext(e)
	return &e.req
}

// Child starts an attempt: an exchange of its own within this one, and a copy
// of req, the request that the stage was given, that belongs to it. The stage
// sets the copy's Body if it replays it, and defers Leave(req, ...) on the
// child around next.RoundTrip. Attempts may run side by side.
func (e *Exchange) Child(req *http.Request) (*Exchange, *http.Request) {
	c := e.call
	c.mu.Lock()
	child := c.spare
	c.spare = nil
	if child == nil {
		child = new(Exchange)
	}
	child.call, child.up = c, e
	child.why.Store(e.why.Load())
	c.enter(child)
	c.mu.Unlock()
	e.made++
	child.attempt = e.made
	child.follow(e, req.Context())
	return child, child.take(req)
}

// Leave ends the stage's part in the exchange. It is deferred by every stage
// that called Join or Child, with the request that it gave to them and the
// addresses of its results, and does nothing unless that call made the
// exchange: then it watches the response's body, or settles at once where
// there is none, or where RoundTrip failed or panicked, and puts the caller's
// request back into the response.
func (e *Exchange) Leave(caller *http.Request, resp **http.Response, err *error) {
	if e.caller != caller {
		return
	}
	r := *resp
	if r == nil || *err != nil { // with an error, nobody looks at a response
		outcome := Outcome{Verdict: Neutral, Reason: ReasonPanic}
		if *err != nil {
			outcome = e.Outcome(nil, *err)
		}
		e.end(End{Outcome: outcome, Err: *err})
		return
	}
	r.Request = caller
	e.watch(r)
}

// Attempt is the number of this attempt, from 1 on; 0 for a call.
func (e *Exchange) Attempt() int { return int(e.attempt) }

// Repeats is called on an attempt by a stage that makes another one if this
// fails. It holds for all that is within the attempt. The result is the number of
// such attempts in the whole call, this one included, up to 65535: a fallback
// further out may have sent the call here before.
func (e *Exchange) Repeats() int {
	e.flags.set(repeated)
	c := e.call.whole()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.repeats < math.MaxUint16 {
		c.repeats++
	}
	return int(c.repeats)
}

// Continuation is the context of a request with which a stage goes on with a call
// in a call of its own, as a cache does that has several callers share a request. The
// attempts within it count as attempts of that call, and what its answer took is
// told there too.
type Continuation interface {
	context.Context
	// Continues gives the exchange of the call that goes on. It may have ended.
	Continues() *Exchange
	// Cause tells which limit of a stage further out ended this context; nil if none did.
	Cause() error
}

// whole is the call that c goes on with, as a rule c itself.
func (c *call) whole() *call {
	for {
		of, ok := c.ctx().(Continuation)
		if !ok {
			return c
		}
		c = of.Continues().call
	}
}

// outward is the exchange that e is an attempt of, or goes on with; nil if there is none.
func (e *Exchange) outward() *Exchange {
	if e.up != nil {
		return e.up
	}
	if of, ok := e.call.ctx().(Continuation); ok {
		return of.Continues()
	}
	return nil
}

// Repeated tells whether a stage further out, of the same chain, repeats what
// fails here: then a stage further in makes one attempt and leaves it at that.
func (e *Exchange) Repeated() bool {
	for x := e; x != nil; x = x.up {
		if x.flags.has(repeated) {
			return true
		}
	}
	return false
}

// AddWait tells the stages above that the request waited here, in a queue, and
// not for the upstream.
func (e *Exchange) AddWait(d time.Duration) { e.waited += d }

// Waited is the time that this exchange spent in queues below.
func (e *Exchange) Waited() time.Duration { return e.waited }
