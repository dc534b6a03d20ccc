package httpcache

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

var _ middleware.StaleSource = (*Cache)(nil)

// Stale gives what is stored for the request, for as long as it is not older
// than maxAge, to be used when the upstream gave no answer (middleware.StaleSource).
// There is none for a request that passes the cache by or wants a new answer
// (Bypass, middleware.Skip, Refresh, no-cache, no-store), and none of an answer that forbids it: with
// must-revalidate or no-cache, in a shared cache also with proxy-revalidate or
// s-maxage (RFC 9111, section 4.2.4). What a route or a call gave its lifetime may be used.
func (c *Cache) Stale(req *http.Request, maxAge time.Duration) (resp *http.Response, ok bool) {
	ex, inner := middleware.Join(req)
	var err error
	defer ex.Leave(req, &resp, &err)

	var l lookup
	inner, err = l.prepare(c, ex, inner)
	if err != nil {
		err = nil // of the request's content: then nothing can be found
		return nil, false
	}
	defer middleware.CloseBody(inner)
	q := &l.query
	if ex.Skipped(c.reporter.Stage) || q.bypass != "" || !q.cacheable() || q.refresh || q.cc.has(noCache|noStore) {
		return nil, false
	}
	d, ok := l.lastGood(ex, maxAge)
	if !ok {
		return nil, false
	}
	c.stats.lastGood.Add(1)
	c.report(ex, EventStale, slog.LevelDebug, nil)
	return respond(inner, &d, nil), true
}

// lastGood finds the newest answer that may be used although it is stale.
func (l *lookup) lastGood(ex *middleware.Exchange, maxAge time.Duration) (decision, bool) {
	r, err := l.cache.shelf.keeper.get(ex, l.place.key)
	if err != nil {
		l.cache.storeFailed(ex, err)
	}
	if r == nil {
		return decision{}, false
	}
	now := time.Now()
	for _, e := range r.entries {
		forbidden := !e.fixed && (neverStale(l.settings.policy, e) || e.cc.has(noCache))
		age := e.age(now)
		if forbidden || !e.good() || age > maxAge || !matches(e.selecting, l.query.header) {
			continue
		}
		d := decision{action: serve, entry: e, age: age, ttl: e.lifetime - age}
		if l.load(ex, &d) {
			return d, true
		}
	}
	return decision{}, false
}
