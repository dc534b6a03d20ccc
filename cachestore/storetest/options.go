package storetest

import "time"

// Option describes the store under test.
type Option func(*config)

type config struct {
	tags        bool
	immutable   bool
	withoutClr  bool
	fakeTime    bool
	bound       int64
	entries     int
	shortestTTL time.Duration
	patience    time.Duration
}

func newConfig(opts []Option) config {
	c := config{shortestTTL: time.Second, patience: 10 * time.Second, entries: 10_000}
	for _, opt := range opts {
		opt(&c)
	}
	return c
}

// WithTags also checks store.WithTags and Invalidate. Most remote stores cannot do these well.
func WithTags() Option { return func(c *config) { c.tags = true } }

// Immutable says that the store keeps what it is given and gives the very same back, as cachestore.PointerStore
// promises: that is checked then, instead of that values are not aliased.
func Immutable() Option { return func(c *config) { c.immutable = true } }

// WithoutClear says that the store cannot tell its entries from others' and therefore refuses Clear with
// store.ErrNotSupported: that is checked then.
func WithoutClear() Option { return func(c *config) { c.withoutClr = true } }

// WithBound also checks that what the store holds, keys and values, stays under so many bytes when many times as
// much is written. The bound must leave room for a value of 1 MiB, which other checks store.
func WithBound(bytes int64) Option { return func(c *config) { c.bound = bytes } }

// WithEntries sets how many distinct entries the check of the bound writes at least. Default 10,000; it writes
// more where that is not four times the bound.
func WithEntries(n int) Option { return func(c *config) { c.entries = n } }

// WithFakeTime runs the checks that wait inside a testing/synctest bubble, where they take no time and can look
// at exact instants. The store must be made by the factory, in the bubble, and do no I/O there.
func WithFakeTime() Option { return func(c *config) { c.fakeTime = true } }

// WithShortestTTL sets the shortest TTL that the store honours, which is what the checks that wait for an expiry
// use. Default one second.
func WithShortestTTL(d time.Duration) Option { return func(c *config) { c.shortestTTL = d } }

// WithPatience sets how long beyond its time a check waits for something that must happen: an expiry, an
// eviction, the end of a call with a cancelled context. Default ten seconds.
func WithPatience(d time.Duration) Option { return func(c *config) { c.patience = d } }
