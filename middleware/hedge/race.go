package hedge

import (
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// race is a call for which copies may be sent. The caller's goroutine runs the
// first attempt and returns the answer; the timer's runs the copies.
type race struct {
	h     *Hedge
	timer *time.Timer // runs copy
	mu    sync.Mutex
	call
}

// call is the part of a race that begins anew with each call.
type call struct {
	cfg      *Config
	upstream *upstream
	ex       *middleware.Exchange
	req      *http.Request
	next     http.RoundTripper
	replay   middleware.Replay
	start    time.Duration
	delay    time.Duration
	first    *middleware.Exchange

	// Guarded by mu.
	closed  bool                   // no further copy is sent: the first attempt has come back
	unfired bool                   // and that before the timer fired
	over    bool                   // the answer is chosen; what comes back now has lost
	winner  attempt                // a copy, if over was its doing
	spare   attempt                // a copy that failed upstream
	copies  []*middleware.Exchange // that were sent
	running int                    // copies that have not come back
	gone    chan struct{}          // closed when over, or when none runs; made by who waits for it
}

func newRace(h *Hedge) *race {
	r := &race{h: h}
	r.timer = time.AfterFunc(math.MaxInt64, r.copy)
	r.timer.Stop()
	return r
}

// run makes the first attempt and returns the answer of the call.
func (r *race) run() (*http.Response, error) {
	var taken *middleware.Exchange
	defer func() { r.end(taken) }()
	r.replay = middleware.NewReplay(r.req, r.cfg.ReplayBuffer)
	body, err := r.replay.Body()
	if err != nil {
		return nil, err
	}
	child, req := r.ex.Child(r.req)
	req.Body = body
	r.first = child
	r.start, r.delay = r.h.now(), r.upstream.latencies.delay(r.cfg)
	r.upstream.requests.Add(1)
	r.upstream.budget.request(r.start, r.cfg.BudgetWindow)
	r.timer.Reset(r.delay)

	a := r.send(child, req)
	a.number = 1
	a = r.choose(a)
	if a.died {
		a.rethrow()
	}
	taken = a.ex
	r.ex.Decide(a.outcome)
	return a.resp, a.err
}

// send makes an attempt.
func (r *race) send(child *middleware.Exchange, req *http.Request) (a attempt) {
	a.ex = child
	a.resp, a.outcome, a.err = r.roundTrip(child, req)
	return a
}

func (r *race) roundTrip(child *middleware.Exchange, req *http.Request) (resp *http.Response, o middleware.Outcome, err error) {
	defer child.Leave(r.req, &resp, &err)
	resp, err = r.next.RoundTrip(req)
	return resp, child.Outcome(resp, err), err
}

// choose takes the first attempt's answer or a copy's, for which it waits if
// that may be better.
func (r *race) choose(first attempt) attempt {
	took := r.h.now() - r.start
	r.h.pushback(r.ex, r.upstream, r.cfg, first.outcome)
	if r.hopes(&first) {
		r.wait()
	}
	r.mu.Lock()
	chosen := first
	switch {
	case r.over:
		chosen = r.winner
	case first.refused() && r.spare.ex != nil:
		chosen = r.spare // the call did go upstream
	}
	r.over = true
	r.mu.Unlock()

	if chosen.ex != first.ex {
		first.discard()
	}
	// An attempt that a copy has beaten would have taken longer still. Without it
	// in the sample the delay would creep down.
	if beaten := chosen.number > 1 && first.outcome.Reason == middleware.ReasonCanceled; beaten || first.outcome.Verdict.Healthy() {
		r.upstream.latencies.add(took, r.cfg)
	}
	return chosen
}

// hopes ends the sending of copies, and tells whether one in flight may give
// what the first attempt did not. Then the first one's answer is in memory.
func (r *race) hopes(first *attempt) bool {
	r.mu.Lock()
	r.close()
	hope := !r.over && r.running > 0 && !first.good()
	r.mu.Unlock()
	return hope && first.keep(r.cfg.KeepResponse)
}

// wait waits for a good answer of a copy, as long as one is in flight and the
// call has time.
func (r *race) wait() {
	r.mu.Lock()
	if r.over || r.running == 0 {
		r.mu.Unlock()
		return
	}
	gone := make(chan struct{})
	r.gone = gone
	r.mu.Unlock()
	select {
	case <-gone:
	case <-r.req.Context().Done():
	}
}

// close sees to it that no further copy is sent. r.mu is held.
func (r *race) close() {
	if !r.closed {
		r.closed, r.unfired = true, r.timer.Stop()
	}
}

// end cancels all copies but the one whose answer was taken. A race that never
// had one is used again.
func (r *race) end(taken *middleware.Exchange) {
	r.mu.Lock()
	r.close()
	r.over = true
	copies, unfired, winner := r.copies, r.unfired, &r.winner // nobody sets it any more
	r.mu.Unlock()
	if winner.ex != taken {
		winner.discard() // the first attempt panicked when it was cancelled
	}
	for _, c := range copies {
		if c != taken {
			c.Cancel()
		}
	}
	r.replay.Release()
	if unfired && len(copies) == 0 {
		r.call = call{}
		r.h.races.Put(r)
	}
}
