package httpcache

import (
	"net/http"
	"time"
)

// action is what to do with a request.
type action uint8

const (
	forward     action = iota // send it upstream
	revalidate                // send it upstream with the validators of stored answers
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

// methodQuery is the method QUERY (RFC 10008), which net/http has no name for.
const methodQuery = "QUERY"

// query is what decide needs to know of a request.
type query struct {
	method  string
	header  http.Header
	cc      directives  // with Pragma
	keyed   bool        // answered by its content under a route's rules, so that its method does not matter
	isQuery bool        // a QUERY, answered by its content under HTTP's rules
	bypass  string      // why this request is none for a cache; empty if it is
	refresh bool        // the caller wants a new answer
	ranges  []byteRange // the parts of the body that the caller wants; none for all
}

// cacheable tells whether there can be a stored answer to such a request.
func (q *query) cacheable() bool { return q.storable() || q.method == http.MethodHead }

// storable tells whether the answer to such a request can be stored.
func (q *query) storable() bool { return q.keyed || q.isQuery || q.method == http.MethodGet }

// decision is what becomes of a request.
type decision struct {
	action      action
	entry       *entry        // the stored answer that the request selects, if there is one
	offered     []*entry      // for revalidate: the answers whose validators the upstream is shown
	fwd         string        // for forward and revalidate
	detail      string        // more about fwd
	ttl         time.Duration // for serve: negative if the answer is stale
	age         time.Duration // for serve
	refresh     bool          // for serve: ask the upstream in the background
	notModified bool          // for serve: the caller has it already
	part        part          // for serve: how much of it
	onError     bool          // for forward and revalidate: entry stands in if the upstream fails
	strict      bool          // for forward and revalidate: entry may not stand in, and whoever can't ask has to say so
	key         string        // for serve: what Cache-Status says of the key; empty for nothing
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
		return q.otherVariant(stored)
	}
	if q.refresh || q.cc.has(noCache) {
		return q.again(p, e, fwdRequest, now)
	}
	why, refresh := reusable(p, &q.cc, e, now)
	if why != "" {
		return q.again(p, e, why, now)
	}
	d := q.serve(e, now)
	d.refresh = refresh
	return d
}

// serve answers with a stored answer, or with as much of it as the request wants.
func (q *query) serve(e *entry, now time.Time) decision {
	age := e.age(now)
	d := decision{action: serve, entry: e, age: age, ttl: e.lifetime - age}
	if conditional(q.header) && e.status == http.StatusOK && notModified(q.header, e, now) {
		d.notModified = true // outranks Range (RFC 9110, section 13.2.2)
		return d
	}
	d.part = q.part(e, now)
	return d
}

// reusable tells whether a stored answer may be used without waiting for the
// upstream (RFC 9111, section 4): why is empty, or why the request has to be
// forwarded. refresh says that the upstream has to be asked all the same.
func reusable(p policy, asked *directives, e *entry, now time.Time) (why string, refresh bool) {
	if e.cc.has(noCache) && !e.fixed {
		return fwdStale, false
	}
	age := e.age(now)
	ttl := e.lifetime - age
	staleness := -ttl
	if ttl > 0 {
		if asked.minFresh.set && ttl < asked.minFresh.duration() {
			return fwdRequest, false
		}
		staleness = 0
	}
	allowed := asked.has(anyStale) || asked.maxStale.set && staleness <= asked.maxStale.duration()
	if asked.maxAge.set && age > asked.maxAge.duration() && !(allowed && age-asked.maxAge.duration() <= staleAllowance(asked)) {
		return fwdRequest, false
	}
	switch {
	case ttl > 0, allowed && !neverStale(p, e):
		return "", false
	case !asked.minFresh.set && within(staleness, p.whileRevalidating(e)):
		return "", true
	}
	return fwdStale, false
}

// within tells whether an answer is not staler than a window allows; 0 is no window.
func within(staleness, window time.Duration) bool { return window > 0 && staleness <= window }

// staleAllowance is by how much max-stale lets max-age be exceeded.
func staleAllowance(asked *directives) time.Duration {
	if asked.has(anyStale) {
		return maxDelta * time.Second
	}
	return asked.maxStale.duration()
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
	// An answer to the caller's own conditions may be a 304, and one to a Range a
	// part, which are no use to anybody else.
	own := conditional(q.header) || len(q.ranges) > 0
	fresh := q.refresh || q.cc.has(noCache|noStore) || q.cc.maxAge.set && q.cc.maxAge.seconds == 0
	return decision{
		fwd: fwd, detail: detail,
		mayStore: !q.cc.has(noStore) && q.storable(),
		mayShare: !fresh && q.storable() && !own,
	}
}

// again forwards a request although there is an answer, with its validators if it has any.
func (q *query) again(p policy, e *entry, fwd string, now time.Time) decision {
	d := q.miss(fwd, "")
	if d.action == unavailable {
		return d
	}
	d.entry = e
	// Who asks for a new answer does not want the old one instead, unless the request says so.
	if fwd == fwdStale || q.cc.ifErrored.set && !q.refresh && !q.cc.has(noCache) {
		d.onError = within(e.age(now)-e.lifetime, p.ifError(&q.cc, e))
		d.strict = neverStale(p, e)
	}
	if !q.keyed && e.validators() && mergeable(q.header) {
		d.action, d.offered = revalidate, []*entry{e}
	}
	return d
}

// otherVariant forwards a request for which only answers to other values of the
// fields in Vary are stored. The upstream is shown their strong entity tags: one
// of them may be the answer to this request too (RFC 9111, section 4.1). Weak
// ones are left out: variants that differ by their encoding alone may share one.
func (q *query) otherVariant(stored []*entry) decision {
	d := q.miss(fwdVaryMiss, "")
	if d.action == unavailable || q.keyed || !mergeable(q.header) {
		return d
	}
	for _, e := range stored {
		if strong(e.etag()) {
			d.action, d.offered = revalidate, append(d.offered, e)
		}
	}
	return d
}
