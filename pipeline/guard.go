package pipeline

import (
	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/middleware/httpcache"
)

// guard puts a store of bytes behind what a tiered store has for its tiers: one
// that fails or is slow is skipped for a while, so that not every call waits for
// it, and what could not be deleted there is not read again before it has been. It is nil for a
// store that needs none: one in memory, and a tiered one.
func guard(c httpcache.Config, s store.StoreInterface, env Env) (*tiered.Store, error) {
	switch s.(type) {
	case cachestore.PointerStore, *tiered.Store:
		return nil, nil
	case *cachestore.Adapter, *disk.Store: // as a tier should be
	default:
		adapted, err := cachestore.Adapt(s)
		if err != nil {
			return nil, err
		}
		s = adapted
	}
	cfg := tiered.DefaultConfig()
	cfg.Tiers = []string{c.Store}
	cfg.Timeout = c.StoreTimeout * 9 / 10 // before the cache gives up, which would say nothing about the store
	return tiered.New(cfg, map[string]store.StoreInterface{c.Store: s}, tiered.WithReporter(env.Reporter()))
}

// keepsGuard tells whether the guard in use is that of the new settings.
func keepsGuard(old, c httpcache.Config) bool {
	return old.Store == c.Store && (c.Store == httpcache.StoreMemory || old.StoreTimeout == c.StoreTimeout)
}
