// Package tiered puts stores on top of each other, the fastest first: memory over disk over Redis, or any other list of
// store.StoreInterface that behaves as package storetest asks.
//
// # Reads and writes
//
// A read asks one tier after the other. What a lower one has is copied to those above it for the rest of its life, never
// longer: the absolute end and the tags travel with the value. A write goes to every tier; one that does not take it (too
// large) has its old value deleted instead. Deletes and invalidations reach every tier, whether or not the caller's context
// has ended meanwhile. A copy upwards that a write or a delete of the same key has overtaken is not made. All that is
// within this process: the memory of another one keeps what it has until it expires. A read with a context of
// cachestore.Latest begins at the lowest tier, which processes share, and believes it.
//
// A hit in an upper tier is now and then looked up in those below as well, beside the request: they evict what was used
// least recently, and would lose first what is read most.
//
// # Tiers that are slow or dead
//
// Every operation on a tier has a timeout; Invalidate and Clear, which can be long, have that of the caller. A tier that
// fails a few times in a row is skipped for a while, and so is at once one that did not do a write or a delete, because
// what it holds may be wrong now. What it misses is noted, key by key up to a bound, after which it is to be cleared as a
// whole. When the while is over, a goroutine beside the requests makes up for what was missed and reads once from the
// tier; if all of that works, the tier is used again. Going and coming back are reported ([EventTierDown], [EventTierUp]).
//
// So a read never fails because a tier does: it is a miss at worst. A write fails if no tier takes it.
//
// # Life
//
// [New] does no I/O. [Store.Stop] ends what runs beside the requests and waits for it. The tiers belong to whoever made
// them, and are stopped after the store.
package tiered
