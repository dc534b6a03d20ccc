package httpcache

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// neverStale tells whether the answer forbids that it is used when it is stale
// (RFC 9111, section 4.2.4), whatever the request or the configuration allows.
func neverStale(p policy, e *entry) bool {
	return e.cc.has(mustRevalidate) || e.cc.has(noCache) && !e.fixed ||
		p.shared && (e.cc.has(proxyRevalidate) || e.cc.sMaxAge.set)
}

// whileRevalidating is for how long a stale answer is served while it is asked
// about in the background (RFC 5861, section 3): as the answer says, else as configured.
func (p policy) whileRevalidating(e *entry) time.Duration {
	switch {
	case neverStale(p, e):
		return 0
	case e.cc.whileRevalidating.set:
		return e.cc.whileRevalidating.duration()
	}
	return p.staleWhileRevalidate
}

// ifError is for how long a stale answer stands in for an upstream that fails
// (RFC 5861, section 4): as the request says, else the answer, else as configured.
func (p policy) ifError(asked *directives, e *entry) time.Duration {
	switch {
	case neverStale(p, e):
		return 0
	case asked.ifErrored.set:
		return asked.ifErrored.duration()
	case e.cc.ifErrored.set:
		return e.cc.ifErrored.duration()
	}
	return p.staleIfError
}

// usableStale tells whether an answer that is never fresh may be of use all the same.
func (p policy) usableStale(e *entry) bool {
	return p.whileRevalidating(e) > 0 || p.ifError(&directives{}, e) > 0
}

// failing tells whether a status is an error that a stale answer may stand in
// for: those that RFC 5861, section 4, names.
func failing(status int) bool {
	switch status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// standsIn tells whether a stale answer is given instead of one with the status.
func (d *decision) standsIn(status int) bool { return d.onError && failing(status) }

// reasonUnreachable is why a 504 was made here: the stored answer may not be
// used without asking, and nobody could be asked.
const reasonUnreachable middleware.Reason = "unreachable"

// settle answers when the upstream failed: with the stale answer, if it may
// stand in, or with 504, if the stored answer forbids that (RFC 9111, section
// 5.2.2.2). Else it gives what came.
func (l *lookup) settle(ex *middleware.Exchange, req *http.Request, d *decision, resp *http.Response, err error) (*http.Response, error) {
	switch {
	case !d.onError && !d.strict:
		return resp, err
	case err == nil && !d.standsIn(resp.StatusCode):
		return resp, nil
	case err == nil:
		_ = resp.Body.Close()
		return l.standIn(ex, req, d, resp.StatusCode, nil), nil
	}
	o := ex.Outcome(nil, err)
	switch {
	case o.Reason == middleware.ReasonCanceled || o.Reason == middleware.ReasonDeadline || o.Verdict == middleware.Invalid:
		return nil, err // the caller has gone, or the request can't be sent
	case d.onError:
		return l.standIn(ex, req, d, 0, err), nil
	case errors.Is(err, middleware.ErrRejected):
		return nil, err // it says who refused, and when to come back
	}
	return l.unreachable(ex, req, d, o, err), nil
}

// standIn answers with the stale answer. status is the upstream's, 0 for an error.
func (l *lookup) standIn(ex *middleware.Exchange, req *http.Request, d *decision, status int, err error) *http.Response {
	now := time.Now()
	served := l.query.serve(d.entry, now)
	resp := respond(req, &served, &missStatus{
		fwd: d.fwd, status: status, detail: whyStaleIfError, stale: true, ttl: served.ttl, key: l.statusKey(),
	})
	l.cache.stats.staleIfError.Add(1)
	l.cache.report(ex, EventStaleIfError, slog.LevelInfo, err)
	ex.Decide(middleware.Classify(resp, nil))
	return resp
}

// unreachable answers 504.
func (l *lookup) unreachable(ex *middleware.Exchange, req *http.Request, d *decision, o middleware.Outcome, err error) *http.Response {
	resp := gatewayTimeout(req)
	mark(resp, missStatus{fwd: d.fwd, detail: whyUnreachable, key: l.statusKey()}.String())
	l.cache.report(ex, EventUnreachable, slog.LevelInfo, err)
	o.Status, o.Reason = resp.StatusCode, reasonUnreachable
	ex.Decide(o)
	return resp
}
