package hedge

import (
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// copy sends a copy of the request, if that is still of use. The timer runs it
// in a goroutine of its own, which ends when the copy has come back and, unless
// it has won, its answer is closed.
func (r *race) copy() {
	if !r.admit() {
		return
	}
	a := attempt{died: true}
	defer func() {
		if a.died {
			a.panicked = recover()
		}
		r.finish(a)
	}()
	a = r.sendCopy()
}

// admit tells whether a copy may be sent. Then it counts as running.
func (r *race) admit() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	now := r.h.now()
	ctx := r.req.Context()
	deadline, limited := ctx.Deadline()
	switch {
	case ctx.Err() != nil,
		limited && time.Until(deadline) <= r.upstream.latencies.typical(), // it would be cut off
		r.upstream.pausedFor(now) > 0,
		!r.replay.Replayable(),
		!r.h.crew.Join(r.cfg.MaxInFlight):
	case !r.upstream.budget.take(now, r.cfg):
		r.h.crew.Leave()
	default:
		r.running++
		return true
	}
	r.upstream.withheld.Add(1)
	return false
}

func (r *race) sendCopy() attempt {
	child, req, err := r.prepare()
	if child == nil {
		return attempt{err: err, unsent: true}
	}
	number := child.Attempt()
	r.report(child, EventHedged, attempt{number: number})
	a := r.send(child, req)
	a.number = number
	r.h.pushback(r.ex, r.upstream, r.cfg, a.outcome)
	if !a.good() && !a.keep(r.cfg.KeepResponse) {
		a.discard()
		a.resp, a.err = nil, ErrNotKept
	}
	return a
}

// prepare makes the copy and sets the timer for the next one. It has the lock, so
// that the call does not return to a caller who changes the request meanwhile.
// For the same reason nothing of the copy is shared with the caller's request.
func (r *race) prepare() (*middleware.Exchange, *http.Request, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, nil, nil
	}
	body, err := r.replay.Body()
	if err != nil {
		return nil, nil, err
	}
	child, req := r.ex.Child(r.req)
	url := *r.req.URL
	req.Body, req.URL, req.Header = body, &url, r.req.Header.Clone()
	r.copies = append(r.copies, child)
	r.upstream.sent.Add(1)
	if len(r.copies) < r.cfg.MaxHedges && !r.closed {
		r.timer.Reset(r.delay)
	}
	return child, req, nil
}

// finish takes a copy that has come back for the winner, or drops it.
func (r *race) finish(a attempt) {
	defer r.h.crew.Leave()
	r.mu.Lock()
	r.running--
	won := !r.over && (a.died || a.good())
	spare := !r.over && !won && !a.refused()
	switch {
	case won:
		r.over, r.winner = true, a
	case spare:
		r.spare = a // the caller's from here on; its body is in memory
	}
	if r.gone != nil && (r.over || r.running == 0) {
		close(r.gone)
		r.gone = nil
	}
	copies := r.copies
	r.mu.Unlock()

	r.account(a, won) // before the call returns, so that its caller sees it
	switch {
	case won:
		r.first.Cancel()
		for _, c := range copies {
			if c != a.ex {
				c.Cancel()
			}
		}
	case !spare:
		a.discard()
	}
}

// account counts and reports what became of a copy.
func (r *race) account(a attempt, won bool) {
	u := r.upstream
	switch {
	case a.died && !won:
		u.lost.Add(1)
		r.report(r.ex, EventPanicked, a)
	case a.died: // the caller's goroutine panics
		u.lost.Add(1)
	case won:
		u.won.Add(1)
		r.report(r.ex, EventWon, a)
	case a.unsent:
		u.withheld.Add(1)
		u.budget.giveBack(r.h.now(), r.cfg.BudgetWindow)
	case a.refused():
		u.refused.Add(1)
		u.sent.Add(^uint64(0))
		u.budget.giveBack(r.h.now(), r.cfg.BudgetWindow)
	default:
		u.lost.Add(1)
		r.report(r.ex, EventLost, a)
	}
}
