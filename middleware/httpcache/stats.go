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
	Hits        uint64 `json:"hits"`        // answered from the cache
	Forwarded   uint64 `json:"forwarded"`   // answered by the upstream, or with what another call's request brought
	Unavailable uint64 `json:"unavailable"` // answered with 504, because the caller wanted a stored answer or none

	// Why calls were forwarded; together Forwarded.
	Misses    uint64 `json:"misses"`    // nothing was stored
	Stale     uint64 `json:"stale"`     // what was stored had to be validated
	Requested uint64 `json:"requested"` // the caller wanted it
	Methods   uint64 `json:"methods"`   // the method is not one that is cached
	Bypassed  uint64 `json:"bypassed"`  // all others

	Collapsed   uint64 `json:"collapsed"`   // of the forwarded, those that shared another call's request
	Stored      uint64 `json:"stored"`      // answers
	Revalidated uint64 `json:"revalidated"` // stored answers, by a 304

	// Answers that could have been stored.
	Incomplete uint64 `json:"incomplete"` // but did not come to their end
	TooLarge   uint64 `json:"too_large"`  // for the store
	Outdated   uint64 `json:"outdated"`   // asked for before an invalidation
	Unrecorded uint64 `json:"unrecorded"` // passed because max_recording_bytes were in use

	Recording     int64  `json:"recording"`     // bytes of max_recording_bytes in use now
	StaleAnswers  uint64 `json:"stale_answers"` // given to a fallback, because the upstream gave none
	Invalidations uint64 `json:"invalidations"` // by unsafe requests
	Purges        uint64 `json:"purges"`        // through Purge, PurgePrefix and PurgeTags

	StoreErrors uint64 `json:"store_errors"` // reads and writes of the store that failed
	Damaged     uint64 `json:"damaged"`      // entries of a byte store that are torn, foreign or of another version; each was a miss
	Lost        uint64 `json:"lost"`         // bodies that an index of a byte store named and that were gone; each was a miss

	StaleWhileRevalidate uint64 `json:"stale_while_revalidate"` // of the hits, those served stale
	StaleIfError         uint64 `json:"stale_if_error"`         // of the forwarded, those served stale
	Refreshes            uint64 `json:"refreshes"`              // in the background
	RefreshesFailed      uint64 `json:"refreshes_failed"`

	// In the memory store that New made; 0 with another.
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"`
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

// Stats gives the statistics. The counts are not read at one instant.
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
