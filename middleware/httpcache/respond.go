package httpcache

import (
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// serve answers with a stored answer.
func (l *lookup) serve(ex *middleware.Exchange, req *http.Request, d *decision) *http.Response {
	middleware.CloseBody(req)
	l.cache.stats.hits.Add(1)
	if d.refresh {
		l.cache.stats.staleWhileRevalidate.Add(1)
	}
	l.cache.report(ex, EventHit, slog.LevelDebug, nil)
	d.key = l.statusKey()
	resp := respond(req, d, nil)
	l.route.pace(ex, resp, d.entry.body)
	return resp
}

// reasonOnlyIfCached is why a 504 that was made here says nothing about the upstream.
const reasonOnlyIfCached middleware.Reason = "only_if_cached"

// unavailable answers 504, because the caller wants no answer of the upstream's.
func (l *lookup) unavailable(ex *middleware.Exchange, req *http.Request, d *decision) *http.Response {
	middleware.CloseBody(req)
	l.cache.stats.unavailable.Add(1)
	resp := gatewayTimeout(req)
	mark(resp, cacheName+"; detail="+whyOnlyIfCached)
	ex.Decide(middleware.Outcome{
		Verdict: middleware.Neutral, Processing: middleware.NeverSent, Reason: reasonOnlyIfCached, Status: resp.StatusCode,
	})
	return resp
}

// gatewayTimeout is a 504 made here.
func gatewayTimeout(req *http.Request) *http.Response {
	return &http.Response{
		Status: "504 Gateway Timeout", StatusCode: http.StatusGatewayTimeout,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Length": {"0"}}, Body: http.NoBody, Request: req,
	}
}

// fetch sends the request upstream for this caller alone.
func (l *lookup) fetch(ex *middleware.Exchange, req *http.Request, d *decision, next http.RoundTripper) (*http.Response, error) {
	l.note(ex, d)
	requested := l.now
	resp, err := l.send(ex, d, req, next)
	if err != nil {
		return resp, err
	}
	var result arrival
	switch {
	case d.mayStore, d.action == revalidate && resp.StatusCode == http.StatusNotModified:
		result = l.arrive(ex, d, resp, ex.Outcome(resp, nil), requested, nil)
	case l.query.method == http.MethodHead:
		l.freshenByHead(ex, d, resp, requested)
	default:
		l.invalidate(ex, req, resp)
	}
	if result.entry != nil {
		return l.confirmed(req, d, &result, false), nil
	}
	status := l.missed(d, &result).String()
	f := result.fill
	if f == nil {
		mark(resp, status)
		return resp, nil
	}
	f.tee = tee{src: resp.Body, fill: f}
	resp.Body = &f.tee
	ex.OnEnd(f, 0)
	f.mark(resp, status)
	return resp, nil
}

// confirmed answers with the stored answer that the upstream said is still good.
func (l *lookup) confirmed(req *http.Request, d *decision, result *arrival, collapsed bool) *http.Response {
	served := l.query.serve(result.entry, time.Now())
	return respond(req, &served, &missStatus{
		fwd: d.fwd, status: http.StatusNotModified, stored: result.stored, ttl: served.ttl, collapsed: collapsed, key: l.statusKey(),
	})
}

// missed is what Cache-Status says of an answer from upstream.
func (l *lookup) missed(d *decision, result *arrival) missStatus {
	s := missStatus{fwd: d.fwd, detail: d.detail, key: l.statusKey()}
	switch {
	case result.fill != nil:
		s.stored, s.ttl = true, result.fill.entry.lifetime-result.fill.entry.initialAge
	case s.detail == "":
		s.detail = result.detail
	}
	return s
}

// follow makes the response of a caller who shares the body of another's answer.
func follow(req *http.Request, f *flight, body *tapeReader, status string) *http.Response {
	e := f.result.fill.entry
	resp := &http.Response{
		Status: e.statusLine, StatusCode: e.status,
		Proto: e.proto, ProtoMajor: e.major, ProtoMinor: e.minor,
		Header: e.header.header(nil, 2), Request: req, Body: body,
		ContentLength: f.result.fill.declared, Uncompressed: e.uncompressed, Trailer: f.trailer.Clone(),
	}
	body.resp = resp
	resp.Header["Age"] = []string{strconv.FormatInt(seconds(e.age(time.Now())), 10)}
	mark(resp, status)
	return resp
}
