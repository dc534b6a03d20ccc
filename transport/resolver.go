package transport

import (
	"container/list"
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolver looks a name up. [*net.Resolver] is one, and so is
// [*CachingResolver]. network is "ip", "ip4" or "ip6".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// CachingResolver answers from memory for a while, asks once however many wait,
// and serves the last answer while lookups fail (RFC 8767). Errors are never
// kept: without an answer to serve, the next call asks again. "No such host"
// counts as a failure too, because an emptied zone is how DNS outages look.
//
// A lookup belongs to no caller. It runs under lookup_timeout alone, so a caller
// that gives up does not take the answer from the others. Callers' httptrace
// hooks DNSStart and DNSDone run when they wait for a lookup, not for an answer
// from memory. An answer that is in use is renewed before its time is over, so
// that nobody waits for a lookup but the first.
//
// The two families are asked for at the same time, as two questions; a DNS server
// that answers only one of them costs resolution_delay (RFC 8305, section 3).
type CachingResolver struct {
	cfg    ResolverConfig
	static map[string][]netip.Addr
	lookup Resolver
	tasks  *tasks
	count  resolverCounters
	report func(Event) // may be nil

	mu      sync.Mutex
	answers map[question]*list.Element // of *answer
	recent  *list.List                 // of *answer, most recently used in front
	flights map[question]*flight
}

type question struct{ network, host string }

// answer is the last good answer to a question.
type answer struct {
	question
	addrs   []netip.Addr // never written again: a fresh answer brings a slice of its own
	fetched time.Time
	retryAt time.Time // no lookup before, set by a failed one
}

// NewCachingResolver returns a resolver that caches what lookup answers. Without a
// lookup it asks the configured server, or the system. It does no I/O and starts no
// goroutine. Close it when it is no longer needed.
func NewCachingResolver(cfg ResolverConfig, lookup Resolver) (*CachingResolver, error) {
	if reflect.ValueOf(cfg).IsZero() {
		return nil, fmt.Errorf("transport: the resolver's configuration is empty: start from DefaultResolverConfig")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("transport: invalid configuration: %w", err)
	}
	if lookup == nil {
		lookup = serverLookup(cfg.Server)
	}
	return &CachingResolver{
		cfg:     cfg,
		static:  cfg.static(),
		lookup:  lookup,
		tasks:   newTasks(),
		answers: make(map[question]*list.Element),
		recent:  list.New(),
		flights: make(map[question]*flight),
	}, nil
}

// LookupNetIP returns the addresses of host: those of the first family that the
// lookup gave, IPv6 before IPv4; the slice is the caller's. An IP address is its
// own answer.
func (r *CachingResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return r.ask(ctx, network, host, r.cfg.TTL, r.cfg.StaleWait)
}

// renew is LookupNetIP for who is in no hurry: what is due for a refresh is
// looked up now, and the old answer is the answer only if the lookup fails.
func (r *CachingResolver) renew(ctx context.Context, host string) ([]netip.Addr, error) {
	return r.ask(ctx, "ip", host, r.cfg.refreshAge(), r.cfg.LookupTimeout)
}

// ask serves an answer that is younger than freshFor, else looks up and falls back on
// the old answer after patience.
func (r *CachingResolver) ask(ctx context.Context, network, host string, freshFor, patience time.Duration) ([]netip.Addr, error) {
	host = strings.ToLower(host)
	if addrs, ok := r.known(network, host); ok {
		return addrs, nil
	}
	q := question{network, host}
	now := time.Now()

	r.mu.Lock()
	known := r.knownLocked(q, now)
	if known != nil && (now.Sub(known.fetched) < freshFor || now.Before(known.retryAt)) {
		addrs := slices.Clone(known.addrs)
		if now.Sub(known.fetched) >= r.cfg.refreshAge() && !now.Before(known.retryAt) {
			_, _, _ = r.flightLocked(q) // nobody waits; without room it is for the next caller
		}
		stale := now.Sub(known.fetched) >= r.cfg.TTL
		r.mu.Unlock()
		r.served(stale)
		return addrs, nil
	}
	old := fallback{patience: patience}
	if known != nil {
		old.addrs, old.stale = known.addrs, now.Sub(known.fetched) >= r.cfg.TTL
	}
	f, joined, err := r.flightLocked(q)
	r.mu.Unlock()
	if err != nil {
		return r.old(old, err)
	}
	return r.await(ctx, q.host, f, joined, old)
}

// fallback is the last answer, for when a lookup fails or takes too long.
type fallback struct {
	addrs    []netip.Addr // nil if there is none
	stale    bool         // its TTL is over
	patience time.Duration
}

// old serves the last answer because of err, or returns err if there is none.
func (r *CachingResolver) old(last fallback, err error) ([]netip.Addr, error) {
	if last.addrs == nil {
		return nil, err
	}
	r.served(last.stale)
	return slices.Clone(last.addrs), nil
}

// known answers what needs no lookup: addresses and the static hosts.
func (r *CachingResolver) known(network, host string) ([]netip.Addr, bool) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, true
	}
	addrs, ok := r.static[strings.TrimSuffix(host, ".")]
	if !ok {
		return nil, false
	}
	return ofNetwork(network, addrs), true
}

// ofNetwork gives a copy of those addresses that are of the network's family.
func ofNetwork(network string, addrs []netip.Addr) []netip.Addr {
	kept := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		// Unmapped: an IPv4 address in IPv6 clothes counts as IPv4.
		if a = a.Unmap(); network == "ip" || a.Is4() == (network == "ip4") {
			kept = append(kept, a)
		}
	}
	return kept
}

// await waits for a lookup; if there is an old answer, no longer than the patience.
func (r *CachingResolver) await(ctx context.Context, host string, f *flight, joined bool, last fallback) (addrs []netip.Addr, err error) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		done := traceLookup(trace, host, joined)
		defer func() { done(addrs, err) }()
	}
	var over <-chan time.Time
	if last.addrs != nil {
		timer := time.NewTimer(last.patience)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-f.done:
		if f.err == nil {
			return slices.Clone(f.addrs), nil
		}
		return r.old(last, f.err)
	case <-over:
		return r.old(last, nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// served counts an answer from memory.
func (r *CachingResolver) served(stale bool) {
	r.count.hits.Add(1)
	if stale {
		r.count.stale.Add(1)
	}
}

// knownLocked returns the answer that may still be served, fresh or stale, and
// marks it as used.
func (r *CachingResolver) knownLocked(q question, now time.Time) *answer {
	el, ok := r.answers[q]
	if !ok {
		return nil
	}
	a := el.Value.(*answer)
	if now.Sub(a.fetched) >= r.cfg.TTL+r.cfg.Stale {
		return nil // a lookup replaces it, or max_hosts pushes it out
	}
	r.recent.MoveToFront(el)
	return a
}

func (r *CachingResolver) storeLocked(q question, addrs []netip.Addr, now time.Time) {
	a := &answer{question: q, addrs: addrs, fetched: now}
	if el, ok := r.answers[q]; ok {
		el.Value = a
		return
	}
	if r.recent.Len() >= r.cfg.MaxHosts {
		oldest := r.recent.Back()
		r.recent.Remove(oldest)
		delete(r.answers, oldest.Value.(*answer).question)
	}
	r.answers[q] = r.recent.PushFront(a)
}

// Close cancels the lookups in progress and waits for them. Answers in memory
// are still served; what would need a lookup fails with [ErrClosed].
func (r *CachingResolver) Close() error {
	<-r.tasks.close()
	return nil
}

// traceLookup runs DNSStart and returns what runs DNSDone.
func traceLookup(trace *httptrace.ClientTrace, host string, joined bool) func([]netip.Addr, error) {
	if trace.DNSStart != nil {
		trace.DNSStart(httptrace.DNSStartInfo{Host: host})
	}
	return func(addrs []netip.Addr, err error) {
		if trace.DNSDone == nil {
			return
		}
		info := httptrace.DNSDoneInfo{Err: err, Coalesced: joined}
		for _, a := range addrs {
			info.Addrs = append(info.Addrs, net.IPAddr{IP: a.AsSlice(), Zone: a.Zone()})
		}
		trace.DNSDone(info)
	}
}
