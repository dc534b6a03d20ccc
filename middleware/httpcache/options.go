package httpcache

import (
	"context"
	"slices"
	"time"

	"github.com/headgate-go/headgate/middleware"
)

// wishes is what the caller of a single call asks for.
type wishes struct {
	bypass, refresh, onlyIfCached, cacheable bool
	ttl                                      time.Duration // 0: as the answer or the route says
	namespace                                string
	tags                                     []string
}

var (
	bypassOption       = middleware.NewOption[bool]("cache.bypass")
	refreshOption      = middleware.NewOption[bool]("cache.refresh")
	onlyIfCachedOption = middleware.NewOption[bool]("cache.only_if_cached")
	cacheableOption    = middleware.NewOption[bool]("cache.cacheable")
	ttlOption          = middleware.NewOption[time.Duration]("cache.ttl")
	namespaceOption    = middleware.NewOption[string]("cache.namespace")
	tagsOption         = middleware.NewOption[[]string]("cache.tags")
)

func wishesOf(ex *middleware.Exchange) (w wishes) {
	w.bypass, _ = bypassOption.Of(ex)
	w.refresh, _ = refreshOption.Of(ex)
	w.onlyIfCached, _ = onlyIfCachedOption.Of(ex)
	w.cacheable, _ = cacheableOption.Of(ex)
	w.ttl, _ = ttlOption.Of(ex)
	w.namespace, _ = namespaceOption.Of(ex)
	w.tags, _ = tagsOption.Of(ex)
	return w
}

// Bypass has the calls of the returned context pass the cache by: they are
// answered by the upstream, and nothing is stored.
func Bypass(ctx context.Context) context.Context { return bypassOption.With(ctx, true) }

// Refresh has the calls of the returned context answered by the upstream; the
// answer is stored and takes the place of the one before.
func Refresh(ctx context.Context) context.Context { return refreshOption.With(ctx, true) }

// OnlyIfCached has the calls of the returned context answered from the cache or
// with 504 (Gateway Timeout), never by the upstream.
func OnlyIfCached(ctx context.Context) context.Context { return onlyIfCachedOption.With(ctx, true) }

// TTL sets how long the answers to the calls of the returned context stay
// fresh, whatever the answer or the route says. It does not make an answer
// storable that may not be stored. Zero or less removes the wish.
func TTL(ctx context.Context, d time.Duration) context.Context {
	return ttlOption.With(ctx, max(d, 0))
}

// Namespace keeps the answers to the calls of the returned context apart from
// those of every other namespace.
func Namespace(ctx context.Context, name string) context.Context {
	return namespaceOption.With(ctx, name)
}

// Tags has the answers to the calls of the returned context stored with these
// tags, to be purged by them; see Cache.PurgeTags. They take the place of those that
// ctx had. A tag is 1 to 256 bytes; answers with another one, or with more than 64,
// are not stored.
func Tags(ctx context.Context, tags ...string) context.Context {
	return tagsOption.With(ctx, slices.Clone(tags))
}

// Cacheable opts the calls of the returned context in to body-keyed caching:
// the answer to the same content, with any method, is taken from the cache. Say
// so only of requests that change nothing upstream. It is fresh for TTL, else for
// Config.ContentTTL.
func Cacheable(ctx context.Context) context.Context { return cacheableOption.With(ctx, true) }
