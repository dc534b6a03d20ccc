// Package redis is a store in Redis, Valkey or whatever speaks their protocol, behind gocache's store.StoreInterface.
// It works on any redis.UniversalClient: one server, Sentinel, a cluster, a ring. It links go-redis; no other package of
// this module imports it.
//
// # Keys
//
// An entry is a string under "<prefix>e:" and the SHA-256 of its key in hex, a tag a sorted set under "<prefix>t:" and its
// SHA-256. Nothing else is ever touched: [Store.Clear] walks the keys of the prefix (SCAN) and unlinks them in batches,
// and there is no FLUSHDB and no FLUSHALL in this package. Two caches over one server need two prefixes.
//
// # Entries
//
// A value travels in an envelope ([cachestore.Encode]) with its key, its tags and a checksum: what is damaged, foreign or
// of another version is a miss, counted and deleted. TTLs are exact to the millisecond, rounded up; what has expired by
// the envelope's own time is a miss too. What memory the server gives to the cache is the server's setting (maxmemory,
// with maxmemory-policy allkeys-lru or volatile-lru).
//
// # Tags
//
// A tag's sorted set holds the keys that were stored with it, by when they expire. Storing trims what has expired from it,
// and it expires with the last of them. [Store.Invalidate] reads the beginning of each entry that it finds there and deletes
// those that still have the tag. An entry and its tags are written one after the other, the tags first.
//
// # Time
//
// Every operation ends within Config.Timeout, which needs a client that was made with ContextTimeoutEnabled; [New] refuses
// another. Invalidate and Clear have the timeout for each batch. An error is a *cachestore.StoreError: a cache goes on
// without the store.
package redis
