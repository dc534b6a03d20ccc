package httpcache

import (
	"context"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// arrival is what becomes of an answer from upstream.
type arrival struct {
	fill   *fill  // it is stored as it is read
	entry  *entry // the upstream confirmed a stored answer, which takes its place
	stored bool   // the confirmed answer was stored again
	detail string // why it is not stored
}

// arrive decides what becomes of an answer, once its header is there.
// room is where its fill goes; nil makes some.
func (l *lookup) arrive(
	ctx context.Context, d *decision, resp *http.Response, outcome middleware.Outcome, requested time.Time, room *fill,
) arrival {
	received := time.Now()
	if !d.mayStore && d.action != revalidate {
		return arrival{detail: d.detail}
	}
	if resp.StatusCode == http.StatusNotModified {
		if d.action != revalidate {
			return arrival{detail: whyNotModified}
		}
		return l.confirm(ctx, d, resp, requested, received)
	}
	if d.standsIn(resp.StatusCode) { // what is stored is better
		return arrival{}
	}
	a := l.settings.answer(resp)
	if why := l.refuse(&a, outcome); why != storeIt {
		return arrival{detail: why}
	}
	e := newEntry(l.settings.policy, resp, a, l.query.header, requested, received)
	l.fix(e)
	useless := e.lifetime <= e.initialAge || e.cc.has(noCache) && !e.fixed
	if useless && (l.query.keyed || !e.validators()) && !l.settings.usableStale(e) {
		return arrival{detail: whyNoFreshness}
	}
	e.tags = answerTags(resp.Header, l.settings.tagHeader, l.tags)
	if !usableTags(e.tags) || !l.group(e) {
		return arrival{detail: whyTags}
	}
	f := room
	if f == nil {
		f = new(fill)
	}
	*f = fill{
		cache: l.cache, settings: l.settings, ctx: lasting{ctx}, at: l.place,
		resp: resp, entry: e, declared: resp.ContentLength,
		keyed: l.query.keyed,
		held:  recording{sum: &l.cache.recorded, max: l.settings.maxRecordingBytes},
	}
	if resp.Body == nil || resp.Body == http.NoBody || resp.StatusCode == http.StatusNoContent {
		f.declared = 0
	}
	if f.declared > l.settings.maxEntryBytes {
		return arrival{detail: whyTooLarge}
	}
	return arrival{fill: f}
}

// fix sets the lifetime that the caller or a route asked for.
func (l *lookup) fix(e *entry) {
	if l.ttl <= 0 {
		return
	}
	ttl := l.ttl
	if l.route != nil && l.route.TTLJitter > 0 {
		ttl -= time.Duration(rand.Float64() * l.route.TTLJitter * float64(ttl))
	}
	e.fixed, e.lifetime = true, e.initialAge+ttl
}

// refuse tells why an answer is not stored; storeIt if it is.
func (l *lookup) refuse(a *answer, outcome middleware.Outcome) string {
	if a.status == http.StatusSwitchingProtocols {
		return whyStatus
	}
	// A provider stage may know that what looks like a success is an error in disguise.
	if a.status < http.StatusBadRequest && !outcome.Verdict.Healthy() {
		return whyUnhealthy
	}
	if !l.query.keyed {
		return storable(l.settings.policy, l.query.header, l.query.cc, *a)
	}
	// The application vouches for the answer to a content; the headers can only forbid.
	switch {
	case l.route != nil && !l.route.stores(a.status), l.route == nil && a.status != http.StatusOK:
		return whyStatus
	case l.query.cc.has(noStore):
		return whyNoStore
	case a.cc.has(noStore):
		return whyNoStore
	case variesOnEverything(a.header["Vary"]):
		return whyVary
	}
	return storeIt
}

// private tells whether an answer is for one caller alone, by what the upstream said last.
func (l *lookup) private(e *entry) bool {
	return !e.fixed && (e.cc.has(noStore) || l.settings.shared && e.cc.has(private))
}

// confirm makes a stored answer fresh again after a 304.
func (l *lookup) confirm(ctx context.Context, d *decision, resp *http.Response, requested, received time.Time) arrival {
	_ = resp.Body.Close()
	e := d.entry.freshened(l.settings.policy, resp, requested, received)
	l.fix(e)
	l.cache.stats.revalidated.Add(1)
	// It is this request's answer now, whichever it was asked with.
	selecting, reusable := selectedBy(e.header.lines("Vary"), l.query.header)
	if e.selecting = selecting; l.private(e) || !reusable || !l.group(e) {
		return arrival{entry: e}
	}
	at := l.place // a copy: the lookup stays on the stack
	l.cache.put(context.WithoutCancel(ctx), l.settings, &at, e)
	return arrival{entry: e, stored: true}
}
