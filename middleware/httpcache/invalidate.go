package httpcache

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/headgate-go/headgate/middleware"
)

// invalidate removes what an unsafe request may have changed, if it succeeded:
// the resource itself, and those of the same origin that Location and
// Content-Location name (RFC 9111, section 4.4).
func (l *lookup) invalidate(ctx context.Context, req *http.Request, resp *http.Response) {
	if l.query.keyed || req.URL == nil || safe(l.query.method) {
		return
	}
	l.invalidateGroups(ctx, req, resp)
	if resp.StatusCode < 200 || resp.StatusCode >= 400 {
		return
	}
	var room [256]byte
	l.drop(ctx, appendURL(room[:0], req))
	for _, name := range [...]string{"Location", "Content-Location"} {
		v := resp.Header[name]
		if len(v) == 0 {
			continue
		}
		other, err := req.URL.Parse(v[0])
		if err != nil {
			continue
		}
		to := &http.Request{URL: other}
		if other.Scheme == req.URL.Scheme && middleware.Authority(to) == middleware.Authority(req) {
			l.drop(ctx, appendURL(room[:0], to))
		}
	}
}

func (l *lookup) drop(ctx context.Context, url []byte) {
	l.invalidated(ctx, l.cache.shelf.invalidate(ctx, url))
}

func (l *lookup) invalidated(ctx context.Context, err error) {
	if err != nil {
		l.cache.storeFailed(ctx, err)
		return
	}
	l.cache.stats.invalidations.Add(1)
	l.cache.report(ctx, EventInvalidated, slog.LevelDebug, nil)
}

// safe tells whether a method only reads (RFC 9110, section 9.2.1). One that is not known may not.
func safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, methodQuery:
		return true
	}
	return false
}
