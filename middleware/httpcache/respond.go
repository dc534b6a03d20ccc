package httpcache

import (
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// serve answers with a stored answer.
func (l *lookup) serve(ex *middleware.Exchange, req *http.Request, d *decision) *http.Response {
	middleware.CloseBody(req)
	l.cache.stats.hits.Add(1)
	l.cache.report(ex, EventHit, slog.LevelDebug, nil)
	return respond(req, d, nil)
}

// reasonOnlyIfCached is why a 504 that was made here says nothing about the upstream.
const reasonOnlyIfCached middleware.Reason = "only_if_cached"

// unavailable answers 504, because the caller wants no answer of the upstream's.
func (l *lookup) unavailable(ex *middleware.Exchange, req *http.Request, d *decision) *http.Response {
	middleware.CloseBody(req)
	l.cache.stats.unavailable.Add(1)
	resp := &http.Response{
		Status: "504 Gateway Timeout", StatusCode: http.StatusGatewayTimeout,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Length": {"0"}}, Body: http.NoBody, Request: req,
	}
	mark(resp, cacheName+"; detail=ONLY-IF-CACHED")
	ex.Decide(middleware.Outcome{
		Verdict: middleware.Neutral, Processing: middleware.NeverSent, Reason: reasonOnlyIfCached, Status: resp.StatusCode,
	})
	return resp
}

// fetch sends the request upstream for this caller alone.
func (l *lookup) fetch(ex *middleware.Exchange, req *http.Request, d *decision, next http.RoundTripper) (*http.Response, error) {
	l.cache.stats.forwarded(d.fwd)
	l.note(ex, d)
	requested := l.now
	if d.action == revalidate {
		conditioned := *req
		conditioned.Header = req.Header.Clone()
		if conditioned.Header == nil {
			conditioned.Header = make(http.Header)
		}
		d.condition(conditioned.Header)
		req = &conditioned
	}
	resp, err := next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	var result arrival
	if d.mayStore {
		result = l.arrive(ex, d, resp, ex.Outcome(resp, nil), requested)
	} else {
		l.invalidate(ex, req, resp)
	}
	if result.entry != nil {
		return l.confirmed(req, d, &result, false), nil
	}
	if result.fill != nil {
		// A copy: this lookup may live on the stack, the fill outlives it.
		resp.Body = &tee{src: resp.Body, fill: result.fill}
	}
	mark(resp, l.missed(d, &result).String())
	return resp, nil
}

// confirmed answers with the stored answer that the upstream said is still good.
func (l *lookup) confirmed(req *http.Request, d *decision, result *arrival, collapsed bool) *http.Response {
	e := result.entry
	now := time.Now()
	served := decision{action: serve, entry: e, age: e.age(now), ttl: e.lifetime - e.age(now)}
	return respond(req, &served, &missStatus{
		fwd: d.fwd, status: http.StatusNotModified, stored: result.stored, ttl: served.ttl, collapsed: collapsed,
	})
}

// missed is what Cache-Status says of an answer from upstream.
func (l *lookup) missed(d *decision, result *arrival) missStatus {
	s := missStatus{fwd: d.fwd, detail: d.detail}
	switch {
	case result.fill != nil:
		s.stored, s.ttl = true, result.fill.entry.lifetime-result.fill.entry.initialAge
	case s.detail == "":
		s.detail = result.detail
	}
	return s
}

// condition adds the stored answer's validators to a request's header.
func (d *decision) condition(h http.Header) {
	if d.action != revalidate {
		return
	}
	if tag := d.entry.etag(); tag != "" {
		h["If-None-Match"] = []string{tag}
	}
	if v := d.entry.header["Last-Modified"]; len(v) > 0 {
		h["If-Modified-Since"] = v[:1:1]
	}
}

// follow makes the response of a caller who shares the body of another's answer.
func follow(req *http.Request, f *fill, body *tapeReader, status string) *http.Response {
	e := f.entry
	resp := &http.Response{
		Status: e.statusLine, StatusCode: e.status,
		Proto: e.proto, ProtoMajor: e.major, ProtoMinor: e.minor,
		Header: maps.Clone(e.header), Request: req, Body: body,
		ContentLength: f.declared, Uncompressed: e.uncompressed,
	}
	body.resp = resp
	resp.Header["Age"] = []string{strconv.FormatInt(seconds(e.age(time.Now())), 10)}
	mark(resp, status)
	return resp
}
