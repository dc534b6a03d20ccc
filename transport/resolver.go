package transport

import (
	"container/list"
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
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
// from memory.
type CachingResolver struct {
	cfg    ResolverConfig
	lookup Resolver
	tasks  *tasks

	mu      sync.Mutex
	answers map[question]*list.Element // of *answer
	recent  *list.List                 // of *answer, most recently used in front
	flights map[question]*flight
}

type question struct{ network, host string }

// answer is the last good answer to a question.
type answer struct {
	question
	addrs   []netip.Addr
	fetched time.Time
	retryAt time.Time // no lookup before, set by a failed one
}

// flight is a lookup in progress; addrs and err may be read once done is closed.
type flight struct {
	done  chan struct{}
	addrs []netip.Addr
	err   error
}

// NewCachingResolver returns a resolver that caches what lookup answers. It does no
// I/O and starts no goroutine. Close it when it is no longer needed.
func NewCachingResolver(cfg ResolverConfig, lookup Resolver) (*CachingResolver, error) {
	if cfg == (ResolverConfig{}) {
		return nil, fmt.Errorf("transport: the resolver's configuration is empty: start from DefaultResolverConfig")
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("transport: invalid configuration: %w", err)
	}
	if lookup == nil {
		lookup = net.DefaultResolver
	}
	return &CachingResolver{
		cfg:     cfg,
		lookup:  lookup,
		tasks:   newTasks(),
		answers: make(map[question]*list.Element),
		recent:  list.New(),
		flights: make(map[question]*flight),
	}, nil
}

// LookupNetIP returns the addresses of host, in the order that the lookup gave
// them; the slice is the caller's. An IP address is its own answer.
func (r *CachingResolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	q := question{network, strings.ToLower(host)}
	now := time.Now()

	r.mu.Lock()
	known := r.knownLocked(q, now)
	if known != nil && (now.Sub(known.fetched) < r.cfg.TTL || now.Before(known.retryAt)) {
		addrs := slices.Clone(known.addrs)
		r.mu.Unlock()
		return addrs, nil
	}
	var stale []netip.Addr
	if known != nil {
		stale = known.addrs // never written again: a fresh answer brings a slice of its own
	}
	f, joined, err := r.flightLocked(q)
	r.mu.Unlock()
	if err != nil {
		if stale != nil {
			return slices.Clone(stale), nil
		}
		return nil, err
	}
	return r.await(ctx, q.host, f, joined, stale)
}

// await waits for a lookup; if there is a stale answer, for stale_wait at most.
func (r *CachingResolver) await(ctx context.Context, host string, f *flight, joined bool, stale []netip.Addr) (addrs []netip.Addr, err error) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil {
		done := traceLookup(trace, host, joined)
		defer func() { done(addrs, err) }()
	}
	var patience <-chan time.Time
	if stale != nil {
		timer := time.NewTimer(r.cfg.StaleWait)
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case <-f.done:
		if f.err == nil {
			return slices.Clone(f.addrs), nil
		}
		if stale != nil {
			return slices.Clone(stale), nil
		}
		return nil, f.err
	case <-patience:
		return slices.Clone(stale), nil
	case <-ctx.Done():
		return nil, ctx.Err()
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

// flightLocked joins the lookup in progress or starts one.
func (r *CachingResolver) flightLocked(q question) (f *flight, joined bool, err error) {
	if f, ok := r.flights[q]; ok {
		return f, true, nil
	}
	if len(r.flights) >= r.cfg.MaxHosts {
		return nil, false, &net.DNSError{Name: q.host, IsTemporary: true,
			Err: fmt.Sprintf("%d lookups are under way, which is the limit (resolver.max_hosts)", len(r.flights))}
	}
	f = &flight{done: make(chan struct{})}
	if !r.tasks.run(func() { r.fly(q, f) }) {
		return nil, false, ErrClosed
	}
	r.flights[q] = f
	return f, false, nil
}

// fly does one lookup and tells everybody who waits for it.
func (r *CachingResolver) fly(q question, f *flight) {
	ctx, cancel := context.WithTimeout(r.tasks.ctx, r.cfg.LookupTimeout)
	defer cancel()
	addrs, err := r.lookup.LookupNetIP(ctx, q.network, q.host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no such host", Name: q.host, IsNotFound: true}
	}
	if r.tasks.ctx.Err() != nil {
		err = ErrClosed
	}
	// A copy: the lookup may keep its slice. Unmapped, so that an IPv4 address in
	// IPv6 clothes counts as IPv4 when families are raced.
	f.addrs, f.err = slices.Clone(addrs), err
	for i, a := range f.addrs {
		f.addrs[i] = a.Unmap()
	}

	r.mu.Lock()
	delete(r.flights, q)
	if err == nil {
		r.storeLocked(q, f.addrs, time.Now())
	} else if el, ok := r.answers[q]; ok {
		el.Value.(*answer).retryAt = time.Now().Add(r.cfg.RetryInterval)
	}
	r.mu.Unlock()
	close(f.done)
}

func (r *CachingResolver) storeLocked(q question, addrs []netip.Addr, now time.Time) {
	a := &answer{question: q, addrs: addrs, fetched: now}
	if el, ok := r.answers[q]; ok {
		el.Value = a
		r.recent.MoveToFront(el)
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
