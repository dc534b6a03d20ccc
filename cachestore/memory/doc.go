// Package memory is the default store: a byte-bounded memory cache over otter (W-TinyLFU admission and eviction)
// behind gocache's store.StoreInterface.
//
// # Pointers, not bytes
//
// A value is kept as it was handed over and comes back as the very same: no encoding, no copy, no checksum. It is
// a [cachestore.PointerStore]: what is stored is immutable from then on, for everybody. So a hit costs the same
// for 1 KiB and for 1 MiB. A value is a []byte, a string, or has Size() int64 ([cachestore.Sizer]); anything else
// is a *cachestore.ValueTypeError, because what cannot be measured cannot be bounded.
//
// # The bound
//
// Every entry is charged its key, its value's size, its tags and [EntryOverhead], which is what the tables around
// it cost; the sum stays under max_bytes. Two things are outside the sum. One writer at a time evicts, for those as well
// that write meanwhile, so that a burst can exceed the bound by at most a few hundred entries; and what has been evicted
// is freed when the garbage collector comes round, so that under heavy writes the heap is larger than the cache,
// as any Go heap is (GOGC). Size max_bytes for that, or set GOMEMLIMIT.
//
// # Time
//
// What has expired is a miss, and leaves when it is read or when its room is needed; there is no background
// goroutine and nothing to close. Expiry is measured on the monotonic clock, so that a clock that is set does not
// empty the cache or keep it for ever; on most systems it stands still while the machine sleeps. Reading a clock costs
// as much as the rest of a Get, so an entry that is stored without store.WithExpiration is found without: a cache
// whose entries carry their own times, and which reads the clock anyway, had better leave the option out.
package memory
