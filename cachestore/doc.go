// Package cachestore is where cached answers live: what every store has in common. The stores themselves are
// packages of their own, so that a program links only the one that it uses; package memory is the default. All of
// them are gocache's store.StoreInterface (github.com/eko/gocache/lib/v4/store), and any other implementation of
// it can take their place.
//
// # Two ways into a store
//
// A cache keeps finished entries. Where they go decides how:
//
//	             is it a PointerStore?
//	cache ──────────── yes ───────────► Set(ctx, key, *entry)            package memory
//	      └─────────── no ────────────► Entries ─► Bytes ─► Adapter ─►   any other store
//	                                    envelope            normalises
//
// A [PointerStore] keeps the pointer and gives it back. The entry is immutable, nothing is encoded, copied or
// checked, and a hit of 1 MiB costs what a hit of 1 KiB costs; so its entries bypass everything else in this
// package but [Sizer], which tells the store what they weigh.
//
// Every other store holds bytes that outlive the process, cross a network or are written by others. There an
// [Entry] travels in an envelope with its key, its times and a checksum, and [Entries] turns whatever is torn,
// damaged, foreign, of another version or of another key into a miss and a delete. That an entry has expired is
// read from the envelope, never concluded from the store's TTL, which stores round, lose or ignore.
//
// # Foreign stores
//
// gocache's stores differ in how they say that a key is absent, which types they take and return, whether they
// keep the caller's slice, what a TTL of 300ms or -1 means, and what Clear empties. An [Adapter] ([Adapt],
// [AdaptCache]) makes them alike; package storetest is the suite that says what alike is.
package cachestore
