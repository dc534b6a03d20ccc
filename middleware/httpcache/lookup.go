package httpcache

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// lookup is a request on its way through the cache.
type lookup struct {
	cache      *Cache
	settings   *settings
	query      query
	place      place
	content    []byte        // of a body-keyed request
	route      *Route        // of a body-keyed request, if there is one
	ttl        time.Duration // asked for by the caller or a route; 0 if not
	now        time.Time
	aloneUntil time.Time
	tags       []string // asked for by the caller
}

// prepare finds out what the cache has to know of a request. It gives the
// request to send, which is not the one given if its content was read.
func (l *lookup) prepare(c *Cache, ex *middleware.Exchange, req *http.Request) (*http.Request, error) {
	wishes := wishesOf(ex)
	l.cache, l.settings = c, c.settings.Load()
	q := &l.query
	*q = query{method: req.Method, header: req.Header, refresh: wishes.refresh}
	if q.method == "" {
		q.method = http.MethodGet
	}
	if lines := req.Header["Cache-Control"]; len(lines) > 0 {
		q.cc = parseDirectives(lines)
	} else if lines := req.Header["Pragma"]; len(lines) > 0 && parseDirectives(lines).has(noCache) {
		q.cc.flags = noCache // RFC 9111, section 5.4
	}
	if wishes.onlyIfCached {
		q.cc.flags |= onlyIfCached
	}
	if req.URL == nil {
		wishes.bypass = true // for the transport to refuse
	} else {
		l.route = l.settings.route(req)
	}
	q.keyed = wishes.cacheable || l.route != nil
	q.isQuery = q.method == methodQuery && !q.keyed && l.settings.query
	q.bypass = q.unfit(req, wishes.bypass)
	if q.bypass != "" || !q.cacheable() {
		return req, nil
	}

	l.ttl, l.tags = wishes.ttl, wishes.tags
	credentials, headers := l.settings.perURL, queryHeaders
	if q.keyed {
		headers = l.settings.contentHeaders
		credentials = l.settings.perContent
		switch {
		case l.ttl > 0:
		case l.route != nil:
			l.ttl = l.route.TTL
		default:
			l.ttl = l.settings.contentTTL
		}
	}
	if q.keyed || q.isQuery {
		var err error
		if req, err = l.readContent(req); err != nil || q.bypass != "" {
			return req, err
		}
	}
	var room [256]byte
	l.place.url = string(appendURL(room[:0], req))
	l.place.key = l.place.url
	part := partition(req, wishes.namespace, credentials)
	switch {
	case q.keyed || q.isQuery:
		l.place.key = contentKey(req, l.place.url, part, headers, l.route.keyContent(l.content))
		l.place.split = true
	case part != nil:
		l.place.key += "\x00" + string(part)
		l.place.split = true
	}
	return req, nil
}

// unfit tells why a request passes the cache by; empty if it does not. It reads its Range.
func (q *query) unfit(req *http.Request, asked bool) string {
	h := req.Header
	switch {
	case asked:
		return whyOptedOut
	case len(h["Upgrade"]) > 0:
		return whyUpgrade
	case len(h["If-Match"]) > 0 || len(h["If-Unmodified-Since"]) > 0:
		return whyConditional
	case !q.keyed && !q.isQuery && req.Body != nil && req.Body != http.NoBody && (q.method == http.MethodGet || q.method == http.MethodHead):
		return whyBody
	case len(h["Range"]) == 0 || q.method == http.MethodHead: // RFC 9110, section 14.2: a Range is for GET
		return ""
	case q.keyed || q.isQuery:
		return whyRange
	}
	var understood bool
	if q.ranges, understood = parseRange(h["Range"]); !understood {
		return whyRange
	}
	return ""
}

func (s *settings) route(req *http.Request) *Route {
	for i := range s.routes {
		if s.routes[i].matches(req) {
			return &s.routes[i]
		}
	}
	return nil
}

// readContent reads a request's content, which is its key, and gives a copy of
// the request with the same content. What is too long to be a key goes on with
// what was read put in front again.
func (l *lookup) readContent(req *http.Request) (*http.Request, error) {
	limit := l.settings.maxContentBytes
	switch {
	case len(req.Trailer) > 0:
		l.query.bypass = whyBody
		return req, nil
	case req.Body == nil || req.Body == http.NoBody:
		return req, nil
	case req.ContentLength > limit:
		l.query.bypass = whyBodyUnreadable
		return req, nil
	}
	var read bytes.Buffer
	if n := req.ContentLength; n > 0 {
		read.Grow(int(n) + bytes.MinRead)
	}
	n, err := read.ReadFrom(io.LimitReader(req.Body, limit+1))
	copied := *req
	if err == nil && n > limit {
		copied.Body = &prefixed{Reader: io.MultiReader(&read, req.Body), Closer: req.Body}
		l.query.bypass = whyBodyUnreadable
		return &copied, nil
	}
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		copied.Body, copied.GetBody = http.NoBody, nil
		return &copied, nil
	}
	content := slices.Clip(read.Bytes())
	l.content = content
	copied.ContentLength = n
	copied.TransferEncoding = nil
	copied.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	copied.Body, _ = copied.GetBody()
	return &copied, nil
}

// prefixed is a body of which a part was read and put in front again.
type prefixed struct {
	io.Reader
	io.Closer
}

// decide looks up what is stored and decides.
func (l *lookup) decide(ex *middleware.Exchange) decision {
	l.now = time.Now()
	var stored []*entry
	if l.place.key != "" {
		r, err := l.cache.shelf.keeper.get(ex, l.place.key)
		if err != nil {
			l.cache.storeFailed(ex, err)
		}
		if r != nil {
			l.cache.storeWorked(ex)
			stored, l.aloneUntil = r.entries, r.aloneUntil
		}
		l.place.generation = l.cache.shelf.generation(l.place.url)
	}
	for {
		d := decide(l.settings.policy, &l.query, stored, l.now)
		if d.entry == nil || l.load(ex, &d) {
			return d
		}
		// The body is gone: what is left is as if it had never been stored.
		stored = slices.DeleteFunc(slices.Clone(stored), func(e *entry) bool { return e == d.entry })
	}
}

// load fetches the body of the answer that was decided for, if it has to be read.
func (l *lookup) load(ctx context.Context, d *decision) bool {
	if d.action == serve && (d.notModified || l.query.method == http.MethodHead) {
		return true
	}
	e, err := l.cache.shelf.keeper.load(ctx, d.entry)
	if err != nil {
		l.cache.storeFailed(ctx, err)
	}
	if e == nil {
		return false
	}
	d.entry = e
	return true
}

// note has the store remember what an answer that is about to be asked for must
// not be older than. Where that fails, the answer cannot be stored.
func (l *lookup) note(ctx context.Context, d *decision) {
	if !d.mayStore && l.query.method != http.MethodHead {
		return
	}
	var err error
	if l.place.stamp, err = l.cache.shelf.keeper.note(ctx, l.place.url, l.tags); err != nil {
		l.cache.storeFailed(ctx, err)
		d.action, d.mayStore, d.detail = forward, false, whyStore
	}
}
