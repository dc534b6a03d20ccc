package httpcache

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// aloneFor is for how long nobody waits for another's answer to a resource, after one turned
// out not to be shareable: waiting would only add the time of one answer to another.
const aloneFor = 10 * time.Second

// collapse takes part in an upstream request together with others. again says that the
// shared answer will not do, and that the caller has to look after itself.
func (l *lookup) collapse(ex *middleware.Exchange, req *http.Request, d *decision, upstream http.RoundTripper) (resp *http.Response, err error, again bool) {
	r, began := l.cache.flights.join(req.Context(), ex, l, d, upstream)
	f := r.flight
	if began {
		// Between the look at the store and here another flight may have landed.
		if now := l.decide(ex); now.action == serve {
			f.land(func() {})
			r.leave()
			return nil, nil, true
		}
		f.lookup.note(ex, &f.decision)
		f.start(req)
	}
	if err := f.wait(req.Context(), ex, r); err != nil {
		middleware.CloseBody(req)
		l.cache.stats.forwarded(d.fwd)
		return nil, err, false
	}
	if r.leader {
		resp, err = l.lead(ex, req, d, r)
		return resp, err, false
	}
	return l.share(ex, req, d, r)
}

// lead takes the answer for the one who began.
func (l *lookup) lead(ex *middleware.Exchange, req *http.Request, d *decision, r *tapeReader) (*http.Response, error) {
	f := r.flight
	middleware.CloseBody(req) // the flight has sent its own
	l.cache.stats.forwarded(d.fwd)
	ex.AddWait(f.waited)
	switch {
	case f.panicked != nil:
		r.leave()
		panic(f.panicked)
	case f.err != nil:
		r.leave()
		ex.Decide(f.outcome)
		return nil, f.err
	case f.result.entry != nil:
		r.leave()
		return l.confirmed(req, d, &f.result, false), nil
	}
	ex.OnEnd(r, 0)
	ex.Decide(f.outcome)
	status := l.missed(d, &f.result).String()
	if r.tape == nil {
		mark(f.resp, status)
		return f.resp, nil
	}
	r.resp, f.own.Body = &f.own, r
	f.result.fill.mark(&f.own, status)
	return &f.own, nil
}

// share takes the answer for one who joined.
func (l *lookup) share(ex *middleware.Exchange, req *http.Request, d *decision, r *tapeReader) (resp *http.Response, err error, again bool) {
	f := r.flight
	switch {
	case f.err == nil && !l.current(ex, &f.lookup.place):
		r.leave()
		return nil, nil, true
	case r.tape != nil && l.usable(f.result.fill.entry):
		ex.OnEnd(r, 0)
		ex.Decide(f.outcome)
		status := missStatus{fwd: d.fwd, collapsed: true}
		resp = follow(req, f, r, status.String())
	case f.result.entry != nil && l.usable(f.result.entry):
		r.leave()
		resp = l.confirmed(req, d, &f.result, true)
	case f.err != nil && !l.outlives(req.Context(), f):
		r.leave()
		ex.Decide(f.outcome)
		err = f.err
	case f.resp != nil && d.standsIn(f.resp.StatusCode):
		r.leave()
		resp = &http.Response{StatusCode: f.resp.StatusCode, Body: http.NoBody}
	default:
		r.leave()
		return nil, nil, true
	}
	middleware.CloseBody(req)
	l.cache.stats.forwarded(d.fwd)
	l.cache.stats.collapsed.Add(1)
	l.cache.report(ex, EventCollapsed, slog.LevelDebug, nil)
	return resp, err, false
}

// current tells whether no other process has invalidated what was asked for.
func (l *lookup) current(ctx context.Context, at *place) bool {
	current, err := l.cache.shelf.keeper.current(ctx, at.url, at.stamp)
	if err != nil {
		l.cache.storeFailed(ctx, err)
	}
	return current
}

// usable tells whether an answer that was asked for before this call may be its
// answer too: what must not be reused may not be shared either (RFC 9111, sections 4
// and 5.2.2.5).
func (l *lookup) usable(e *entry) bool {
	return matches(e.selecting, l.query.header) && l.reusable(&l.query.cc, e)
}

// reusable tells whether a request with these directives might be answered with an answer that has just come.
func (l *lookup) reusable(asked *directives, e *entry) bool {
	why, refresh := reusable(l.settings.policy, asked, e, time.Now())
	return !l.private(e) && why == "" && !refresh
}

// outlives tells whether the shared request failed because of a deadline that
// was the other's and would not have been this caller's.
func (l *lookup) outlives(ctx context.Context, f *flight) bool {
	if f.requests.IsZero() || !errors.Is(f.err, context.DeadlineExceeded) && !errors.Is(f.err, context.Canceled) {
		return false
	}
	own, ok := ctx.Deadline()
	return !ok || own.After(f.requests)
}

// goAlone notes that answers to this request cannot be shared, which those who
// waited for one have just found out.
func (l *lookup) goAlone(ctx context.Context) {
	at := l.place
	if err := l.cache.shelf.alone(context.WithoutCancel(ctx), &at, time.Now().Add(aloneFor)); err != nil {
		l.cache.storeFailed(ctx, err)
	}
}
