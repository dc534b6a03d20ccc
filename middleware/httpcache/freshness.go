package httpcache

import (
	"net/http"
	"time"
)

// policy is what of the configuration decides about storing and reuse.
type policy struct {
	shared               bool
	heuristicMax         time.Duration // 0: no heuristic freshness
	staleWhileRevalidate time.Duration // for answers that do not say
	staleIfError         time.Duration // for answers that do not say
	targeted             []string      // the targeted fields (RFC 9213) that are meant for this cache, in order
}

// The reasons for which an answer is not stored, as they stand in Cache-Status.
const (
	storeIt           = ""
	whyStatus         = "STATUS"
	whyNoStore        = "NO-STORE"
	whyPrivate        = "PRIVATE"
	whyAuthorization  = "AUTHORIZATION"
	whySetCookie      = "SET-COOKIE"
	whyVary           = "VARY"
	whyNoFreshness    = "NO-FRESHNESS"
	whyTooLarge       = "TOO-LARGE"
	whyUnhealthy      = "UNHEALTHY"
	whyOptedOut       = "BYPASS"
	whyRange          = "RANGE"
	whyBody           = "BODY"
	whyUpgrade        = "UPGRADE"
	whyConditional    = "CONDITIONAL"
	whyNotModified    = "NOT-MODIFIED"
	whyBodyUnreadable = "KEY-BODY-TOO-LARGE"
	whyTags           = "TAGS"
	whyStore          = "STORE"
	whyOnlyIfCached   = "ONLY-IF-CACHED"

	// The reasons for which a stale answer was served, or none.
	whyStaleWhileRevalidate = "STALE-WHILE-REVALIDATE"
	whyStaleIfError         = "STALE-IF-ERROR"
	whyUnreachable          = "UNREACHABLE"
)

// answer is what storable needs to know of a response.
type answer struct {
	status int
	header http.Header
	cc     directives
	field  string // that cc is from, if it is not Cache-Control
}

func (p policy) answer(resp *http.Response) answer {
	a := answer{status: resp.StatusCode, header: resp.Header}
	a.cc, a.field = p.directivesOf(resp.Header)
	return a
}

// storable tells whether the answer to a GET may be stored, by RFC 9111,
// section 3; storeIt, or the first reason against.
func storable(p policy, request http.Header, asked directives, a answer) string {
	h, given := a.header, a.cc
	switch {
	case a.status < 200 || a.status == http.StatusPartialContent || a.status == http.StatusNotModified || a.status == http.StatusRequestedRangeNotSatisfiable:
		return whyStatus
	case given.has(mustUnderstand) && !understood(a.status):
		return whyStatus
	case asked.has(noStore):
		return whyNoStore
	case given.has(noStore) && !given.has(mustUnderstand):
		return whyNoStore
	case p.shared && given.has(private):
		return whyPrivate
	case p.shared && len(request["Authorization"]) > 0 && !given.has(public|mustRevalidate) && !given.sMaxAge.set:
		return whyAuthorization
	case p.shared && len(h["Set-Cookie"]) > 0:
		return whySetCookie
	case variesOnEverything(h["Vary"]):
		return whyVary
	case !given.has(public) && !(given.has(private) && !p.shared) && !given.maxAge.set &&
		!(given.sMaxAge.set && p.shared) && (len(h["Expires"]) == 0 || given.has(targeted)) && !heuristicStatus(a.status):
		return whyNoFreshness
	}
	return storeIt
}

func variesOnEverything(vary []string) bool {
	if len(vary) == 0 {
		return false
	}
	_, ok := selectedBy(vary, nil)
	return !ok
}

// lifetime is how long an answer is fresh, counted from its Date (RFC 9111,
// section 4.2.1). It is 0 for one that is stale from the start.
func lifetime(p policy, a answer, received time.Time) time.Duration {
	cc, h := a.cc, a.header
	switch {
	case p.shared && cc.sMaxAge.set:
		return cc.sMaxAge.duration()
	case cc.maxAge.set:
		return cc.maxAge.duration()
	}
	date, _, ok := headerDate(h, "Date", received)
	if !ok {
		date = received
	}
	if expires, present, valid := headerDate(h, "Expires", received); present && !cc.has(targeted) {
		if !valid {
			return 0
		}
		return max(0, expires.Sub(date))
	}
	if p.heuristicMax <= 0 || !heuristicStatus(a.status) && !cc.has(public) {
		return 0
	}
	modified, _, valid := headerDate(h, "Last-Modified", received)
	if !valid {
		return 0
	}
	return min(max(0, date.Sub(modified))/10, p.heuristicMax)
}

// heuristicStatus tells whether a status is heuristically cacheable (RFC 9110, section 15.1).
func heuristicStatus(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

// understood tells whether the cache knows all that a status asks of a cache.
func understood(status int) bool {
	switch status {
	case 302, 303, 307, 400, 403, 500, 502, 503, 504:
		return true
	}
	return heuristicStatus(status)
}
