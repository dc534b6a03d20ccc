package httpcache

import (
	"net/http"
	"time"
)

// action is what to do with a request.
type action uint8

const (
	forward     action = iota // send it upstream
	revalidate                // send it upstream with the stored answer's validators
	serve                     // answer it with the stored answer
	unavailable               // answer 504: the caller wants a stored answer or none (RFC 9111, section 5.2.1.7)
)

// Why a request was forwarded (RFC 9211, section 2.2).
const (
	fwdBypass   = "bypass"
	fwdMethod   = "method"
	fwdURIMiss  = "uri-miss"
	fwdVaryMiss = "vary-miss"
	fwdRequest  = "request"
	fwdStale    = "stale"
)

// query is what decide needs to know of a request.
type query struct {
	method  string
	header  http.Header
	cc      directives // with Pragma
	keyed   bool       // answered by its content, so that its method does not matter
	bypass  string     // why this request is none for a cache; empty if it is
	refresh bool       // the caller wants a new answer
}

// cacheable tells whether there can be a stored answer to such a request.
func (q *query) cacheable() bool {
	return q.keyed || q.method == http.MethodGet || q.method == http.MethodHead
}

// decision is what becomes of a request.
type decision struct {
	action      action
	entry       *entry        // for serve and revalidate
	fwd         string        // for forward and revalidate
	detail      string        // more about fwd
	ttl         time.Duration // for serve: negative if the answer is stale
	age         time.Duration // for serve
	notModified bool          // for serve: the caller has it already
	mayStore    bool          // for forward and revalidate: the answer may be stored, as far as the request goes
	mayShare    bool          // for forward and revalidate: another request's answer will do
}

// decide says what to do with a request, given the answers that are stored
// under its key, the newest first. It is a pure function.
func decide(p policy, q *query, stored []*entry, now time.Time) decision {
	switch {
	case q.cc.has(onlyIfCached) && q.bypass != whyOptedOut && (q.bypass != "" || !q.cacheable()):
		return decision{action: unavailable}
	case q.bypass != "":
		return decision{fwd: fwdBypass, detail: q.bypass}
	case !q.cacheable():
		return decision{fwd: fwdMethod}
	case q.cc.has(noStore):
		return q.miss(fwdRequest, whyNoStore)
	case len(stored) == 0:
		return q.miss(fwdURIMiss, "")
	}
	var e *entry
	for _, candidate := range stored {
		if matches(candidate.selecting, q.header) {
			e = candidate
			break
		}
	}
	if e == nil {
		return q.miss(fwdVaryMiss, "")
	}
	if q.refresh || q.cc.has(noCache) {
		return q.again(e, fwdRequest)
	}
	age := e.age(now)
	ttl := e.lifetime - age
	if why := reusable(p, &q.cc, e, age, ttl); why != "" {
		return q.again(e, why)
	}
	return decision{
		action: serve, entry: e, age: age, ttl: ttl,
		notModified: conditional(q.header) && e.status == http.StatusOK && notModified(q.header, e, now),
	}
}

// reusable tells whether a stored answer may be used without asking (RFC 9111,
// section 4): empty, or why it has to be forwarded.
func reusable(p policy, asked *directives, e *entry, age, ttl time.Duration) string {
	if e.cc.has(noCache) && !e.fixed {
		return fwdStale
	}
	staleness := -ttl
	if ttl > 0 {
		if asked.minFresh.set && ttl < asked.minFresh.duration() {
			return fwdRequest
		}
		staleness = 0
	}
	allowed := asked.has(anyStale) || asked.maxStale.set && staleness <= asked.maxStale.duration()
	if asked.maxAge.set && age > asked.maxAge.duration() && !(allowed && age-asked.maxAge.duration() <= staleAllowance(asked)) {
		return fwdRequest
	}
	if ttl > 0 || allowed && !neverStale(p, e) {
		return ""
	}
	return fwdStale
}

// staleAllowance is by how much max-stale lets max-age be exceeded.
func staleAllowance(asked *directives) time.Duration {
	if asked.has(anyStale) {
		return maxDelta * time.Second
	}
	return asked.maxStale.duration()
}

// neverStale tells whether the answer forbids that it is used when it is stale (RFC 9111, section 4.2.4).
func neverStale(p policy, e *entry) bool {
	return e.cc.has(mustRevalidate) || p.shared && (e.cc.has(proxyRevalidate) || e.cc.sMaxAge.set)
}

// conditional tells whether a request has conditions that a cache can answer.
func conditional(h http.Header) bool {
	return len(h["If-None-Match"]) > 0 || len(h["If-Modified-Since"]) > 0
}

// miss forwards a request for which nothing is stored.
func (q *query) miss(fwd, detail string) decision {
	if q.cc.has(onlyIfCached) {
		return decision{action: unavailable, fwd: fwd, detail: detail}
	}
	// An answer to the caller's own conditions may be a 304, which is no use to anybody else.
	fresh := q.refresh || q.cc.has(noCache|noStore) || q.cc.maxAge.set && q.cc.maxAge.seconds == 0
	return decision{
		fwd: fwd, detail: detail,
		mayStore: !q.cc.has(noStore) && (q.keyed || q.method == http.MethodGet),
		mayShare: !fresh && (q.keyed || q.method == http.MethodGet) && !conditional(q.header),
	}
}

// again forwards a request although there is an answer, with its validators if it has any.
func (q *query) again(e *entry, fwd string) decision {
	d := q.miss(fwd, "")
	if d.action == forward && d.mayStore && !q.keyed && e.validators() && !conditional(q.header) {
		d.action, d.entry = revalidate, e
	}
	return d
}
