package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// flight is a lookup in progress; addrs and err may be read once done is closed.
type flight struct {
	done  chan struct{}
	addrs []netip.Addr
	err   error
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
	r.count.lookups.Add(1)
	return f, false, nil
}

// part is what one family's question has brought.
type part struct {
	network string
	addrs   []netip.Addr
	err     error // nil: addrs is not empty
	done    bool
}

// fly does one lookup and tells everybody who waits for it. When one family has
// answered, the other one has resolution_delay to follow; what comes later
// than that serves the next callers.
func (r *CachingResolver) fly(q question, f *flight) {
	ctx, cancel := context.WithTimeout(r.tasks.ctx, r.cfg.LookupTimeout)
	defer cancel()
	begun := time.Now()
	parts := []part{{network: q.network}}
	if q.network == "ip" {
		parts = []part{{network: "ip6"}, {network: "ip4"}} // in the order in which they are tried
	}
	results := make(chan int, len(parts))
	landed := make([]part, len(parts))
	for i := range parts {
		ask := func() {
			landed[i] = r.question(ctx, parts[i].network, q.host)
			results <- i
		}
		if len(parts) == 1 {
			ask()
		} else if !r.tasks.run(ask) {
			landed[i] = part{err: ErrClosed, done: true}
			results <- i
		}
	}
	told := false
	var delay <-chan time.Time
	for left := len(parts); left > 0; {
		select {
		case i := <-results:
			parts[i] = landed[i]
			if left--; left > 0 && parts[i].err == nil {
				timer := time.NewTimer(r.cfg.ResolutionDelay)
				defer timer.Stop()
				delay = timer.C
			}
		case <-delay:
			delay, told = nil, true
			r.count.took.add(time.Since(begun))
			r.settle(q, f, parts)
			close(f.done)
		}
	}
	r.mu.Lock()
	delete(r.flights, q)
	r.mu.Unlock()
	if !told {
		r.count.took.add(time.Since(begun))
		r.settle(q, f, parts)
		close(f.done)
		return
	}
	r.settle(q, &flight{}, parts) // the answer is out; the rest of it is for the next callers
}

// question asks for one family.
func (r *CachingResolver) question(ctx context.Context, network, host string) part {
	addrs, err := r.lookup.LookupNetIP(ctx, network, host)
	if err == nil {
		if addrs = ofNetwork(network, addrs); len(addrs) == 0 {
			err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}
	if r.tasks.ctx.Err() != nil {
		err = ErrClosed
	}
	return part{network: network, addrs: addrs, err: err, done: true}
}

// settle stores what the families have brought and writes it into f. A family
// whose question failed, or is late, keeps the addresses of the last answer.
func (r *CachingResolver) settle(q question, f *flight, parts []part) {
	r.store(q, f, parts)
	if f.err == nil {
		return
	}
	r.count.failures.Add(1)
	if r.report != nil && f.err != ErrClosed {
		r.report(Event{Kind: EventLookupFailed, Host: q.host, Err: f.err})
	}
}

func (r *CachingResolver) store(q question, f *flight, parts []part) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var old []netip.Addr
	el, ok := r.answers[q]
	if ok && now.Sub(el.Value.(*answer).fetched) < r.cfg.TTL+r.cfg.Stale {
		old = el.Value.(*answer).addrs
	}
	f.addrs, f.err = merge(parts, old)
	if f.err == nil {
		r.storeLocked(q, f.addrs, now)
		return
	}
	if ok {
		el.Value.(*answer).retryAt = now.Add(r.cfg.RetryInterval)
	}
}

// merge puts the families together. It fails if none has an answer; a failure
// then tells more than the absence of the other family.
func merge(parts []part, old []netip.Addr) (addrs []netip.Addr, err error) {
	answered := false
	for _, p := range parts {
		switch {
		case p.done && p.err == nil:
			answered = true
			addrs = append(addrs, p.addrs...)
		case !p.done || !isNotFound(p.err):
			addrs = append(addrs, ofNetwork(p.network, old)...)
		}
		if p.err != nil && (err == nil || isNotFound(err)) {
			err = p.err
		}
	}
	if answered {
		return addrs, nil
	}
	return nil, err
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
