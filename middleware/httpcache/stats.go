package httpcache

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/headgate-go/headgate/middleware"
)

// The kinds of the stage's events.
const (
	EventHit         = "hit"         // answered from the cache
	EventCollapsed   = "collapsed"   // answered with what another call's request brought
	EventStored      = "stored"      // an answer was stored
	EventInvalidated = "invalidated" // what is stored of a resource was removed
	EventPurged      = "purged"      // what is stored was removed by Purge, PurgePrefix or PurgeTags
	EventStale       = "stale"       // the last good answer was given to a fallback

	EventStoreFailed    = "store_failed"    // the store could not be read or written, for the first time; calls go on
	EventStoreRecovered = "store_recovered" // it was, and nothing has failed for 10 s

	EventStaleIfError  = "stale_if_error" // answered with a stale answer, because the upstream failed
	EventUnreachable   = "unreachable"    // answered with 504, because what is stored may not be used without asking
	EventRefreshFailed = "refresh_failed" // an answer could not be refreshed in the background
)

// Stats is a snapshot of what the stage did since it was made.
type Stats struct {
	// Hits were answered from the cache, Forwarded by the upstream or with what another call's request
	// brought, Unavailable with 504 because the caller wanted a stored answer or none.
	Hits, Forwarded, Unavailable uint64
	// Why calls were forwarded; together Forwarded.
	Misses, Stale, Requested, Methods, Bypassed uint64
	// Collapsed calls shared the upstream request of another.
	Collapsed uint64
	// Stored answers, and those Revalidated by a 304.
	Stored, Revalidated uint64
	// Answers that could have been stored but were Incomplete, TooLarge for the store, or
	// Outdated: asked for before an invalidation.
	Incomplete, TooLarge, Outdated uint64
	// Unrecorded answers passed because max_recording_bytes were in use; Recording
	// bytes are in use now.
	Unrecorded uint64
	Recording  int64
	// StaleAnswers were given by Stale, because the upstream gave none.
	StaleAnswers uint64
	// Invalidations by unsafe requests.
	Invalidations uint64
	// Purges through Purge, PurgePrefix and PurgeTags.
	Purges uint64
	// StoreErrors are reads and writes of the store that failed.
	StoreErrors uint64
	// What was found in a byte store and could not be used: Damaged is torn, foreign
	// or of another version, Lost are bodies that an index named and that were gone. Each was a miss.
	Damaged, Lost uint64
	// Answers served stale: from the hits StaleWhileRevalidate, from the forwarded StaleIfError.
	StaleWhileRevalidate, StaleIfError uint64
	// Refreshes in the background, and those of them that failed.
	Refreshes, RefreshesFailed uint64
	// Entries and Bytes in the memory store that New made; 0 with another.
	Entries int
	Bytes   int64
}

type counters struct {
	hits, unavailable                            atomic.Uint64
	misses, stale, requested, methods, bypassed  atomic.Uint64
	collapsed, stored, revalidated               atomic.Uint64
	incomplete, tooLarge, outdated, unrecorded   atomic.Uint64
	invalidations, purges, storeErrors, lastGood atomic.Uint64
	staleWhileRevalidate, staleIfError           atomic.Uint64
	refreshes, refreshesFailed                   atomic.Uint64
}

func (c *counters) forwarded(fwd string) {
	switch fwd {
	case fwdURIMiss, fwdVaryMiss:
		c.misses.Add(1)
	case fwdStale:
		c.stale.Add(1)
	case fwdRequest:
		c.requested.Add(1)
	case fwdMethod:
		c.methods.Add(1)
	default:
		c.bypassed.Add(1)
	}
}

// Snapshot gives the statistics. The counts are not read at one instant.
func (c *Cache) Stats() Stats {
	n := &c.stats
	s := Stats{
		Hits: n.hits.Load(), Unavailable: n.unavailable.Load(),
		Misses: n.misses.Load(), Stale: n.stale.Load(), Requested: n.requested.Load(),
		Methods: n.methods.Load(), Bypassed: n.bypassed.Load(),
		Collapsed: n.collapsed.Load(), Stored: n.stored.Load(), Revalidated: n.revalidated.Load(),
		Incomplete: n.incomplete.Load(), TooLarge: n.tooLarge.Load(), Outdated: n.outdated.Load(),
		Unrecorded: n.unrecorded.Load(), Recording: c.recorded.Load(), StaleAnswers: n.lastGood.Load(),
		Invalidations: n.invalidations.Load(), Purges: n.purges.Load(), StoreErrors: n.storeErrors.Load(),
	}
	if k, ok := c.shelf.keeper.(*encoded); ok {
		s.Damaged, s.Lost = k.entries.Damaged()+k.damaged.Load(), k.lost.Load()
	}
	s.StaleWhileRevalidate, s.StaleIfError = n.staleWhileRevalidate.Load(), n.staleIfError.Load()
	s.Refreshes, s.RefreshesFailed = n.refreshes.Load(), n.refreshesFailed.Load()
	s.Forwarded = s.Misses + s.Stale + s.Requested + s.Methods + s.Bypassed
	if c.memory != nil {
		m := c.memory.Stats()
		s.Entries, s.Bytes = m.Entries, m.Bytes
	}
	return s
}

func (c *Cache) report(ctx context.Context, kind string, level slog.Level, err error) {
	if c.reporter.Enabled() {
		c.reporter.Report(ctx, middleware.Event{Kind: kind, Level: level, Err: err})
	}
}
