package httpcache

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// flight is one upstream request that several callers wait for. It belongs to
// none of them: it has a context, an exchange and a goroutine of its own, so that
// the one who began it can be cancelled and the others go on. The goroutine fetches
// the header and then the body, as far as it is wanted; a call that is blocked in
// a transport can't change hands, so it can't be the caller's own. It ends when
// everybody has left.
type flight struct {
	flightContext
	began    *middleware.Exchange // the call of the one who began
	lookup   lookup               // of that one
	decision decision
	upstream http.RoundTripper
	requests time.Time // deadline of the one who began; zero if there was none
	leader   tapeReader
	request  http.Request  // that is sent, and shares no memory with the caller's
	url      url.URL       // of request
	onItsWay fill          // room for result.fill
	onTape   tape          // room for tape
	own      http.Response // the first one's: in resp the transport sets the trailer when the flight has read it
	first    [2]*tapeReader
	busy     atomic.Int32 // goroutines of the flight, see orphans

	mu       sync.Mutex
	waiting  []*tapeReader // until ready
	in       int           // callers who have not left
	dead     bool          // everybody has left
	landed   bool          // what follows is set
	ready    bool          // and may be looked at: those who wait were told
	resp     *http.Response
	trailer  http.Header // as resp announced it
	err      error
	panicked any
	result   arrival
	tape     *tape
	outcome  middleware.Outcome
	waited   time.Duration
	over     bool      // the upstream's exchange has ended
	orphan   io.Closer // the upstream's body, to be closed then
	cause    error     // of who left last
}

var _ middleware.Continuation = (*flight)(nil)

// Continues is the call of the one who began: the attempts of the flight are that one's.
func (f *flight) Continues() *middleware.Exchange { return f.began }

// Cause is the limit that made the last one leave, if one did.
func (f *flight) Cause() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

// Value gives the flight itself for flightKey, else the value of the one who began.
func (f *flight) Value(key any) any {
	if key == (flightKey{}) {
		return f
	}
	return f.values.Value(key)
}

// flights finds the flight of a key.
type flights struct {
	mu    sync.Mutex
	byKey map[string]*flight
}

// join takes part in the flight of the key, or begins one. ctx is the context of the request.
func (fs *flights) join(ctx context.Context, ex *middleware.Exchange, l *lookup, d *decision, upstream http.RoundTripper) (r *tapeReader, began bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	// What was asked for before an invalidation is no answer to who asks after it. And
	// stages that a pipeline has replaced are stopped when their own calls have left.
	if f := fs.byKey[l.place.key]; f != nil && f.lookup.place.generation == l.place.generation && f.upstream == upstream {
		if r = f.enter(ctx, l); r != nil {
			return r, false
		}
	}
	f := &flight{lookup: *l, decision: *d, upstream: upstream, in: 1}
	r = &f.leader
	f.waiting = append(f.first[:0], r)
	f.began, f.values = ex, ctx
	f.include(ctx, true)
	f.requests = f.deadline
	*r = tapeReader{header: l.query.header, flight: f, leader: true, turn: make(chan struct{}, 1)}
	if fs.byKey == nil {
		fs.byKey = make(map[string]*flight)
	}
	fs.byKey[l.place.key] = f
	return r, true
}

// drop lets nobody join any more.
func (f *flight) drop() {
	fs := &f.lookup.cache.flights
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.byKey[f.lookup.place.key] == f {
		delete(fs.byKey, f.lookup.place.key)
	}
}

// enter takes part, if that is still possible.
func (f *flight) enter(ctx context.Context, l *lookup) *tapeReader {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &tapeReader{header: l.query.header, flight: f}
	switch {
	case f.dead:
		return nil
	case f.landed && (f.tape == nil || !l.usable(f.result.fill.entry) || !f.tape.attach(r)):
		return nil
	case !f.ready:
		r.turn = make(chan struct{}, 1)
		f.waiting = append(f.waiting, r)
	}
	f.in++
	f.include(ctx, false)
	return r
}

// leave is called once for each who took part. cause is the limit that made it leave, if one did.
func (f *flight) leave(err, cause error) {
	f.mu.Lock()
	f.in--
	last := f.in == 0
	f.dead = f.dead || last
	f.cause = cause
	f.mu.Unlock()
	if last {
		f.drop()
		f.abandon()
		f.end(err)
	}
}

// closeWhenOver closes the upstream's body as soon as its exchange has ended.
func (f *flight) closeWhenOver(body io.Closer) {
	f.mu.Lock()
	over := f.over
	f.orphan = body
	f.mu.Unlock()
	if over {
		_ = body.Close()
	}
}

// Settle is called when the upstream's exchange has ended.
func (f *flight) Settle(uint64, middleware.End) {
	f.mu.Lock()
	f.over = true
	orphan := f.orphan
	f.mu.Unlock()
	if orphan != nil {
		_ = orphan.Close()
	}
}

// start sends the request.
func (f *flight) start(req *http.Request) {
	// Not Clone, which copies more than a caller who is back early may change.
	f.request, f.url = *req.WithContext(f), *req.URL
	own := &f.request
	own.URL, own.Header, own.Trailer = &f.url, req.Header.Clone(), req.Trailer.Clone()
	if own.Header == nil {
		own.Header = make(http.Header)
	}
	if own.GetBody != nil { // content that was read for its key, or none
		own.Body, _ = own.GetBody()
	}
	f.busy.Add(goroutine)
	go func() {
		defer f.back()
		grow()
		f.run()
	}()
}

// grow makes the stack of a new goroutine as large as a request needs, as long as
// there is nothing on it: one that is deep is copied frame by frame, and twice.
//
//go:noinline
func grow() {
	var room [6 << 10]byte
	runtime.KeepAlive(&room)
}

func (f *flight) run() {
	requested := time.Now()
	defer func() {
		if v := recover(); v != nil {
			f.land(func() { f.panicked = v })
		}
	}()
	resp, err := f.lookup.send(f, &f.decision, &f.request, f.upstream)
	if err != nil {
		f.land(func() { f.err = err })
		return
	}
	result := f.lookup.arrive(f, &f.decision, resp, f.outcome, requested, &f.onItsWay)
	f.land(func() { f.resp, f.result = resp, result })
	if f.tape != nil && !f.tape.finished {
		f.tape.fetch()
	}
}

// land hands the answer to those who wait for it.
func (f *flight) land(set func()) {
	f.mu.Lock()
	set()
	f.landed = true
	abandoned := f.dead
	shared := f.result.fill != nil && !abandoned
	reusable := shared && f.lookup.reusable(&directives{}, f.result.fill.entry)
	if shared {
		f.tape = &f.onTape
		f.tape.begin(f)
		f.own, f.trailer = *f.resp, f.resp.Trailer.Clone()
		f.own.Trailer = f.trailer.Clone()
		f.tape.reading = true // by this goroutine, from now on
	}
	followers, leaderLeft := 0, false
	for _, r := range f.waiting {
		switch left := r.left.Load(); {
		case left:
			leaderLeft = leaderLeft || r.leader
		case shared && (r.leader || reusable && matches(f.result.fill.entry.selecting, r.header)):
			f.tape.attach(r)
		case !r.leader:
			followers++
		}
	}
	if shared && len(f.tape.readers) == 0 { // the first one has left, and the others want another variant
		f.tape, shared = nil, false
	}
	resp := f.resp
	f.mu.Unlock()

	if !shared {
		f.drop()
	} else if f.result.fill.declared == 0 {
		f.tape.empty()
	}
	if resp != nil && (abandoned || leaderLeft && !shared) && f.result.entry == nil {
		_ = resp.Body.Close()
	}
	if followers > 0 && resp != nil && f.result.entry == nil && resp.StatusCode < http.StatusBadRequest && !shared {
		f.lookup.goAlone(f)
	}
	f.mu.Lock()
	f.ready = true
	waiting := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	for _, r := range waiting {
		r.wake()
	}
}

// wait waits for the answer, no longer than the caller does.
func (f *flight) wait(ctx context.Context, ex *middleware.Exchange, r *tapeReader) error {
	always := time.Unix(1<<40, 0) // no limit is later than that
	for !f.isReady() {
		if err := ctx.Err(); err != nil {
			if f.giveUp(r) {
				f.leave(err, ex.Cause())
				return err
			}
			<-r.turn // landed: it is a matter of moments, or the end of ex has woken r
			continue
		}
		ex.Await(ctx, r.turn, always)
	}
	return nil
}

func (f *flight) isReady() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ready
}

// giveUp has the landing leave r out, unless it has begun.
func (f *flight) giveUp(r *tapeReader) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.landed {
		r.left.Store(true)
	}
	return !f.landed
}

// observe is the innermost part of a flight's chain: it brings what the stages
// below decided out of the flight's exchange.
func observe(next http.RoundTripper) http.RoundTripper {
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		ex, req := middleware.Join(req)
		resp, err := next.RoundTrip(req)
		if f, ok := req.Context().Value(flightKey{}).(*flight); ok {
			ex.OnEnd(f, 0)
			f.outcome, f.waited = ex.Outcome(resp, err), ex.Waited()
		}
		return resp, err
	})
}
