package transport

import (
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// host is what requests with the same scheme, name and port share.
type host struct {
	t    *Transport
	key  hostKey
	used atomic.Int64         // when the last request began, in Unix nanoseconds
	lane atomic.Pointer[lane] // where requests go; nil before the first

	http2 atomic.Bool // what the last TLS handshake agreed on

	wake chan struct{} // there is something to do for the keeper

	mu   sync.Mutex // guards what follows, and the making of the first lane
	kept bool       // a keeper is running
}

// hostKey is comparable and made of parts of the URL, so that finding a host costs
// no allocation.
type hostKey struct{ scheme, name, port string }

func keyOf(u *url.URL) hostKey {
	k := hostKey{scheme: u.Scheme, name: strings.ToLower(u.Hostname()), port: u.Port()}
	if k.port == "" {
		k.port = defaultPort(k.scheme)
	}
	return k
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "socks5", "socks5h":
		return "1080"
	}
	return "80"
}

func (k hostKey) addr() string { return net.JoinHostPort(k.name, k.port) }

// hosts finds hosts, and forgets those that went unused for longest.
type hosts struct {
	mu    sync.RWMutex
	max   int
	byKey map[hostKey]*host
}

func newHosts(max int) *hosts { return &hosts{max: max, byKey: make(map[hostKey]*host)} }

// host returns the host of a URL.
func (t *Transport) host(u *url.URL) *host {
	key := keyOf(u)
	t.hosts.mu.RLock()
	h := t.hosts.byKey[key]
	t.hosts.mu.RUnlock()
	if h != nil {
		return h
	}
	h, gone := t.hosts.add(t, key)
	if gone != nil {
		gone.retire()
	}
	return h
}

// add returns the host of a key, and the one that has given way to it.
func (s *hosts) add(t *Transport, key hostKey) (h, gone *host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.byKey[key]; h != nil {
		return h, nil
	}
	if len(s.byKey) >= s.max {
		for _, other := range s.byKey {
			if gone == nil || other.used.Load() < gone.used.Load() {
				gone = other
			}
		}
		delete(s.byKey, gone.key)
	}
	h = &host{t: t, key: key, wake: make(chan struct{}, 1)}
	h.used.Store(time.Now().UnixNano())
	s.byKey[key] = h
	return h, gone
}

// makeRoom keeps max_idle_conns: beyond it, the idle connections of the host
// that went unused for longest are closed, but not those of the host in hand.
func (t *Transport) makeRoom(inHand *host) {
	if t.conns.count() <= t.cfg.MaxIdleConns {
		return
	}
	var oldest *lane
	for _, l := range t.conns.lanes() {
		if l.host != inHand && (oldest == nil || l.host.used.Load() < oldest.host.used.Load()) {
			oldest = l
		}
	}
	if oldest != nil {
		oldest.closeIdle()
	}
}

// current returns the lane that takes requests, the first time a new one. If there
// can be none, that is an event, for which it matters who asks.
func (h *host) current(warming bool) (*lane, error) {
	if l := h.lane.Load(); l != nil {
		return l, nil
	}
	l, err := h.first()
	if err != nil {
		h.t.failed(destination{host: h.key.addr()}, warming, err)
	}
	return l, err
}

// first makes a lane, unless another caller just has.
func (h *host) first() (*lane, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l := h.lane.Load(); l != nil {
		return l, nil
	}
	l, err := h.t.newLane(h)
	if err == nil {
		h.lane.Store(l)
	}
	return l, err
}

// retire closes the host's connections as they become idle. A request that comes
// in spite of it opens new ones.
func (h *host) retire() {
	h.lane.Store(nil)
	h.stir()
}

// stir has the keeper look now.
func (h *host) stir() {
	select {
	case h.wake <- struct{}{}:
	default: // it will look anyhow
	}
}
