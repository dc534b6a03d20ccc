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
	r, began := l.cache.flights.join(ex, l, d, upstream)
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
	if err := f.wait(ex, r); err != nil {
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
	resp := f.resp
	if r.tape != nil {
		resp.Body = r
	}
	ex.OnEnd(r, 0)
	ex.Decide(f.outcome)
	mark(resp, l.missed(d, &f.result).String())
	return resp, nil
}

// share takes the answer for one who joined.
func (l *lookup) share(ex *middleware.Exchange, req *http.Request, d *decision, r *tapeReader) (resp *http.Response, err error, again bool) {
	f := r.flight
	switch {
	case r.tape != nil:
		ex.OnEnd(r, 0)
		ex.Decide(f.outcome)
		status := missStatus{fwd: d.fwd, collapsed: true}
		resp = follow(req, f.result.fill, r, status.String())
	case f.result.entry != nil && matches(f.result.entry.selecting, l.query.header):
		r.leave()
		resp = l.confirmed(req, d, &f.result, true)
	case f.err != nil && !l.outlives(ex, f):
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

// outlives tells whether the shared request failed because of a deadline that
// was the other's and would not have been this caller's.
func (l *lookup) outlives(ex *middleware.Exchange, f *flight) bool {
	if f.requests.IsZero() || !errors.Is(f.err, context.DeadlineExceeded) && !errors.Is(f.err, context.Canceled) {
		return false
	}
	own, ok := ex.Deadline()
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
