package httpcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/headgate-go/headgate/middleware"
)

// ErrPurgeUnsupported is what PurgePrefix says of a store that keeps pointers and
// cannot be searched (cachestore.Scanner).
var ErrPurgeUnsupported = errors.New("httpcache: the store cannot be searched by URL")

// Purge removes what is stored for a request: of a body-keyed one, by a route or
// Cacheable, what is stored under its content; of every other what is stored of
// its URL, for all methods, variants, credentials and namespaces. It reads the
// request's content and closes it. It sends nothing upstream.
//
// What all purges guarantee: when it has returned, no call that begins through
// this Cache is answered with what was stored before, and nothing is stored that was
// asked for before. Another process over the same byte store sees it within
// purge_within; what it has asked for before is not stored either, but for a
// body-keyed request, for tags that only the answer named, and for a prefix while
// another one is being purged: then it may be.
func (c *Cache) Purge(req *http.Request) (err error) {
	ex, inner := middleware.Join(req)
	none := &http.Response{Body: http.NoBody}
	defer ex.Leave(req, &none, &err)
	var l lookup
	if inner, err = l.prepare(c, ex, inner); err != nil {
		return err
	}
	middleware.CloseBody(inner)
	if l.query.keyed && l.place.key != "" {
		return c.purged(ex, c.shelf.drop(ex, &l.place))
	}
	if req.URL == nil {
		return errors.New("httpcache: purge of a request without a URL")
	}
	var room [256]byte
	return c.purged(ex, c.shelf.invalidate(ex, appendURL(room[:0], req)))
}

// PurgePrefix removes what is stored of all URLs that begin with prefix: scheme,
// host and as much of the path as is given. Which URLs it hits is decided byte by
// byte, after the scheme and host were normalized: "https://api.example.com/v1"
// hits /v1/models and /v10. Over a byte store it is an entry in a list of 64; when the
// list is full, everything is purged.
func (c *Cache) PurgePrefix(ctx context.Context, prefix string) error {
	u, err := url.Parse(prefix)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("httpcache: purge: %q is no prefix of a URL; write for example https://api.example.com/v1/", prefix)
	}
	normal := string(appendURL(nil, &http.Request{URL: u}))
	return c.purged(ctx, c.shelf.purge(func() error { return c.shelf.keeper.purgePrefix(ctx, normal) }))
}

// PurgeTags removes what was stored with at least one of the tags, which came
// from Tags or from the answer's tag_header.
func (c *Cache) PurgeTags(ctx context.Context, tags ...string) error {
	if !usableTags(tags) {
		return fmt.Errorf("httpcache: purge: tags are 1 to %d bytes, at most %d at once", maxTagBytes, maxTags)
	}
	return c.purged(ctx, c.shelf.purge(func() error {
		var errs []error
		for _, tag := range tags {
			errs = append(errs, c.shelf.keeper.purgeTag(ctx, tag))
		}
		return errors.Join(errs...)
	}))
}

func (c *Cache) purged(ctx context.Context, err error) error {
	if err != nil {
		c.storeFailed(ctx, err)
		return fmt.Errorf("httpcache: purge: %w", err)
	}
	c.stats.purges.Add(1)
	c.report(ctx, EventPurged, slog.LevelInfo, nil)
	return nil
}
