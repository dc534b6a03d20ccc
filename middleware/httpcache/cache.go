package httpcache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"

	"github.com/headgate-go/headgate/cachestore"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/middleware"
	"github.com/headgate-go/headgate/middleware/internal/crew"
)

const typeName = "cache"

// Cache is the stage.
type Cache struct {
	reporter middleware.Reporter
	complete CompleteFunc         // by WithComplete
	given    store.StoreInterface // by WithStore
	memory   *memory.Store        // made by New; nil if a store was given
	shelf    *shelf
	flights  flights
	orphans  crew.Crew    // see orphans.go
	recorded atomic.Int64 // bytes held of the bodies on their way
	settings atomic.Pointer[settings]
	stats    counters
	health   storeHealth

	background background
}

// settings is a Config made ready for use.
type settings struct {
	policy
	storage
	maxEntryBytes     int64
	maxVariants       int
	maxContentBytes   int64
	contentTTL        time.Duration
	coalesce          bool
	perURL            []string // the credentials that keep answers of one URL apart
	perContent        []string // the same for body-keyed requests
	contentHeaders    []string
	routes            []Route
	maxRecordingBytes int64
	maxRefreshes      int
	refreshTimeout    time.Duration
	statusKey         bool
	query             bool
	groups            bool
}

// Option is a collaborator of the stage.
type Option func(*Cache)

// WithReporter names the stage and says who is told of its events.
func WithReporter(r middleware.Reporter) Option {
	return func(c *Cache) { c.reporter = r }
}

// WithStore has the answers kept in s, which other caches may use as well, in
// this process or another. Any gocache store will do. A cachestore.PointerStore, as
// package cachestore/memory is one, keeps them as they are; every other store is
// given bytes, through cachestore.Adapt. Hand in a *cachestore.Adapter to adapt it
// yourself, and a tiered.Store over it (package cachestore/tiered), of one tier, to
// have it skipped for a while when it fails or hangs: package pipeline does so.
func WithStore(s store.StoreInterface) Option {
	return func(c *Cache) { c.given = s }
}

// WithComplete replaces StreamComplete and, for body-keyed answers,
// ContentComplete, which tell whether an answer that has ended is complete. It is
// asked before an answer is stored.
func WithComplete(f CompleteFunc) Option {
	return func(c *Cache) { c.complete = f }
}

// New makes the stage. Without WithStore it keeps answers in a memory store of
// its own, of MaxBytes. It starts no goroutine; Stop ends those that refresh
// answers in the background later.
func New(cfg Config, opts ...Option) (*Cache, error) {
	if err := middleware.Validate(typeName, cfg); err != nil {
		return nil, err
	}
	c := &Cache{}
	for _, o := range opts {
		o(c)
	}
	c.reporter = c.reporter.Named(typeName)
	k, err := c.keeper(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: store: %w", c.reporter.Stage, err)
	}
	c.shelf = newShelf(k, c.memory != nil)
	c.set(cfg)
	return c, nil
}

// keeper is how answers are kept in the store that was given, or in a memory store of the stage's own.
func (c *Cache) keeper(cfg Config) (keeper, error) {
	switch s := c.given.(type) {
	case nil:
		if cfg.Store != StoreMemory {
			return nil, fmt.Errorf("%q is not made here; hand it over with WithStore, or write %q", cfg.Store, StoreMemory)
		}
		m, err := memory.New(memoryConfig(cfg))
		if err != nil {
			return nil, err
		}
		c.memory = m
		return newPointers(m), nil
	case cachestore.PointerStore:
		return newPointers(s), nil
	case *cachestore.Adapter:
		return newEncoded(s.Bytes(), cfg.storage())
	default:
		a, err := cachestore.Adapt(s)
		if err != nil {
			return nil, err
		}
		return newEncoded(a.Bytes(), cfg.storage())
	}
}

func memoryConfig(cfg Config) memory.Config {
	return memory.Config{MaxBytes: cfg.MaxBytes, MaxEntryBytes: cfg.MaxEntryBytes}
}

func (c *Cache) set(cfg Config) {
	s := &settings{
		policy: policy{
			shared: cfg.Shared, heuristicMax: cfg.HeuristicMax,
			staleWhileRevalidate: cfg.StaleWhileRevalidate, staleIfError: cfg.StaleIfError,
			targeted: canonicalNames(cfg.TargetedHeaders),
		},
		storage:           cfg.storage(),
		maxEntryBytes:     int64(cfg.MaxEntryBytes),
		maxVariants:       cfg.MaxVariants,
		maxContentBytes:   int64(cfg.MaxContentBytes),
		contentTTL:        cfg.ContentTTL,
		coalesce:          cfg.Coalesce,
		contentHeaders:    canonicalFields(cfg.ContentHeaders),
		routes:            slices.Clone(cfg.Routes),
		maxRecordingBytes: int64(cfg.MaxRecordingBytes),
		maxRefreshes:      cfg.MaxRefreshes,
		refreshTimeout:    cfg.RefreshTimeout,
		statusKey:         cfg.StatusKey,
		query:             cfg.Query,
		groups:            cfg.CacheGroups,
	}
	if cfg.PerCredential {
		s.perContent = canonicalFields(cfg.CredentialHeaders)
		if !cfg.Shared {
			s.perURL = s.perContent
		}
	}
	if k, ok := c.shelf.keeper.(*encoded); ok {
		storage := cfg.storage()
		k.settings.Store(&storage)
	}
	c.settings.Store(s)
}

// Update changes the settings for the calls that begin from now on; what is
// stored stays. The store cannot be exchanged. An invalid configuration changes
// nothing.
func (c *Cache) Update(cfg Config) error {
	if err := middleware.Validate(c.reporter.Stage, cfg); err != nil {
		return err
	}
	if c.memory != nil {
		if cfg.Store != StoreMemory {
			return fmt.Errorf("%s: store: %q can't take the place of the memory store in use", c.reporter.Stage, cfg.Store)
		}
		if err := c.memory.Update(memoryConfig(cfg)); err != nil {
			return fmt.Errorf("%s: store: %w", c.reporter.Stage, err)
		}
	}
	c.set(cfg)
	return nil
}

// Wrap is a middleware.Middleware.
func (c *Cache) Wrap(next http.RoundTripper) http.RoundTripper {
	upstream := middleware.Chain(next, observe)
	return middleware.Forward(next, func(req *http.Request) (*http.Response, error) {
		return c.roundTrip(req, next, upstream)
	})
}

// roundTrip answers from the cache, or by next; upstream is next with an
// exchange of its own.
func (c *Cache) roundTrip(req *http.Request, next, upstream http.RoundTripper) (resp *http.Response, err error) {
	ex, inner := middleware.Join(req)
	defer ex.Leave(req, &resp, &err)

	var l lookup
	if inner, err = l.prepare(c, ex, inner); err != nil {
		return nil, err
	}
	for alone := false; ; alone = true {
		d := l.decide(ex)
		switch d.action {
		case serve:
			if d.refresh {
				l.refresh(inner, d.entry, next)
			}
			return l.serve(ex, inner, &d), nil
		case unavailable:
			return l.unavailable(ex, inner, &d), nil
		}
		resp, err, again := l.ask(ex, inner, &d, alone, next, upstream)
		if !again {
			return l.settle(ex, inner, &d, resp, err)
		}
	}
}

// ask sends the request upstream, alone or together with others. again says that
// what others brought will not do.
func (l *lookup) ask(
	ex *middleware.Exchange, req *http.Request, d *decision, alone bool, next, upstream http.RoundTripper,
) (resp *http.Response, err error, again bool) {
	if alone || !d.mayShare || !l.settings.coalesce || l.aloneUntil.After(l.now) {
		l.cache.stats.forwarded(d.fwd)
		resp, err = l.fetch(ex, req, d, next)
		return resp, err, false
	}
	return l.collapse(ex, req, d, upstream)
}

// put stores an answer and says what became of it.
func (c *Cache) put(ctx context.Context, s *settings, at *place, e *entry) {
	stored, err := c.shelf.put(ctx, at, e, s.maxVariants, s.maxEntryBytes)
	switch {
	case errors.Is(err, cachestore.ErrTooLarge):
		c.stats.tooLarge.Add(1)
	case err != nil:
		c.storeFailed(ctx, err)
	case !stored:
		c.stats.outdated.Add(1)
	default:
		c.stats.stored.Add(1)
		c.storeWorked(ctx)
		c.report(ctx, EventStored, slog.LevelDebug, nil)
	}
}
