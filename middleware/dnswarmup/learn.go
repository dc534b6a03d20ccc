package dnswarmup

import (
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// learned is the hosts that requests went to.
type learned struct {
	mu    sync.RWMutex
	hosts map[origin]*learnedHost
}

// origin is where requests with the same connections go.
type origin struct{ scheme, host string }

func (o origin) String() string { return o.scheme + "://" + o.host }

type learnedHost struct {
	used atomic.Bool // since the last look
	last time.Time   // the last look that found it used; the keeper's alone
}

// see notes a request and reports whether its host is a new one.
func (l *learned) see(u *url.URL, most int) bool {
	o := origin{u.Scheme, u.Host}
	l.mu.RLock()
	h, full := l.hosts[o], len(l.hosts) >= most
	l.mu.RUnlock()
	if h != nil {
		if !h.used.Load() { // most requests only read
			h.used.Store(true)
		}
		return false
	}
	if full {
		return false
	}
	if _, problem := parseHost(o.String()); problem != "" {
		return false // what can't be warmed is for net/http to refuse
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts[o] != nil || len(l.hosts) >= most {
		return false
	}
	h = new(learnedHost)
	h.used.Store(true)
	l.hosts[o] = h
	return true
}

// inUse returns the hosts of the last requests and forgets the others.
func (l *learned) inUse(now time.Time, forgetAfter time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var hosts []string
	for o, h := range l.hosts {
		if h.used.Swap(false) {
			h.last = now
		}
		if now.Sub(h.last) >= forgetAfter {
			delete(l.hosts, o)
			continue
		}
		hosts = append(hosts, o.String())
	}
	slices.Sort(hosts)
	return hosts
}

// all returns the hosts that are known, sorted.
func (l *learned) all() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	hosts := make([]string, 0, len(l.hosts))
	for o := range l.hosts {
		hosts = append(hosts, o.String())
	}
	slices.Sort(hosts)
	return hosts
}

// others returns those of the learned hosts that are not configured.
func others(configured, learned []string) []string {
	known := make(map[string]bool, len(configured))
	for _, host := range configured {
		target, _ := parseHost(host)
		known[target] = true
	}
	return slices.DeleteFunc(learned, func(host string) bool {
		target, _ := parseHost(host)
		return known[target]
	})
}
