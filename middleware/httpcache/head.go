package httpcache

import (
	"context"
	"net/http"
	"time"
)

// freshenByHead uses the answer to a HEAD for the stored answer to a GET (RFC
// 9111, section 4.3.5): if all that both say of the validators and the length is
// the same, the stored answer is as fresh as the new one; if not, it is stale.
// Nothing is stored where nothing was.
func (l *lookup) freshenByHead(ctx context.Context, d *decision, resp *http.Response, requested time.Time) {
	received := time.Now()
	e := d.entry
	if e == nil || e.status != http.StatusOK || resp.StatusCode != http.StatusOK || l.query.cc.has(noStore) {
		return
	}
	var next *entry
	switch agreement(e, resp.Header) {
	case same:
		next = e.freshened(l.settings.policy, resp, requested, received)
		if l.ttl > 0 {
			next.fixed, next.lifetime = true, next.initialAge+l.ttl
		}
		if next.cc.has(noStore) {
			return
		}
	case different:
		age := e.age(received)
		if e.lifetime <= age {
			return
		}
		stale := *e
		stale.lifetime = age
		next = &stale
	default:
		return
	}
	if !l.group(next) {
		return
	}
	at := l.place // a copy: the lookup stays on the stack
	l.cache.put(context.WithoutCancel(ctx), l.settings, &at, next)
}

type agreed uint8

const (
	unknown agreed = iota // nothing that both say can be compared
	same
	different
)

// agreement compares what a HEAD's answer says of its representation with the stored one.
func agreement(e *entry, h http.Header) agreed {
	result := unknown
	for _, name := range [...]string{"Etag", "Last-Modified", "Content-Length"} {
		got := h[name]
		have, found := e.header.first(name)
		switch {
		case len(got) == 0 || !found:
		case got[0] != have:
			return different
		default:
			result = same
		}
	}
	return result
}
