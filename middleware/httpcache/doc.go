// Package httpcache answers requests from what the upstream said before.
//
// It works in two modes that share everything but the key. In RFC mode it is a
// private HTTP cache (a shared one by option) of GET and HEAD: what may be kept,
// for how long, and what a request may be answered with is decided by the
// headers, as RFC 9111 has it. In body-keyed mode, which is opt-in by route or by
// request, POST requests whose answer depends on their content alone, LLM prompts
// for example, are answered by a hash of the exact content and of everything else
// that could change the answer.
//
// # How it works
//
// A decision is a pure function of the request, what is stored and the clock
// (decide), and so is the question of whether an answer may be stored
// (storable); neither does I/O. The rest is small: a hit is a copy of the
// stored header and a reader over shared bytes. A miss is recorded while the
// caller reads it, without delaying a byte, and stored when it has come to a
// clean end. Concurrent misses of one key share a single upstream request, also
// while its body is still growing. That request runs in a goroutine of its own,
// also for a caller who stays alone: nobody knows in advance who will join, and a
// call that is blocked in a transport can't change hands when the first one leaves.
//
// Every response that passed the stage carries a Cache-Status field (RFC 9211)
// that says whether it is a hit, and if not, why.
//
// # Stores
//
// Answers are kept in any gocache store, by default in a memory store of the
// stage's own. One that keeps what it is given (cachestore.PointerStore) has them
// by pointer, and a hit costs the same for 1 KiB and 1 MiB. Every other one is
// given bytes: an index entry for each key and, for what is longer, the body under
// an id of its own, each in an envelope with a checksum, so that nothing that a
// store loses, tears or mixes up is served.
//
// # Where it stands
//
// Outside timeout, retry, circuit_breaker, rate_limit and semaphore: a hit must
// not cost a permit or a token. Inside fallback: a degraded answer is not to be
// stored.
//
// # Tenants
//
// A client-side cache is private to its user by definition, but a program may
// speak for many. So answers are kept apart by credential (see
// Config.PerCredential), in both modes, unless it is switched off or the cache
// is a shared one, for which RFC 9111, section 3.5, has rules.
package httpcache
