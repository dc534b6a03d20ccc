package transport

import (
	"net/netip"
	"sync"
	"time"
)

// The memory of a dialer.
const (
	buriedFor = 30 * time.Second // then an address is tried in its turn again
	maxBuried = 1024
)

// graveyard remembers which addresses lost a race in which they had a head start,
// so that only the first connection pays for a dead one (RFC 8305, section 4,
// allows to order by what is known of the addresses). They are still tried, last.
type graveyard struct {
	mu     sync.Mutex
	buried map[netip.Addr]time.Time
}

func newGraveyard() *graveyard { return &graveyard{buried: make(map[netip.Addr]time.Time)} }

func (g *graveyard) bury(ip netip.Addr, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.buried) >= maxBuried {
		clear(g.buried) // that many are no dead addresses but a dead network
	}
	g.buried[ip] = now
}

func (g *graveyard) rise(ip netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.buried, ip)
}

// last moves the buried addresses to the end.
func (g *graveyard) last(ips []netip.Addr, now time.Time) []netip.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.buried) == 0 || len(ips) < 2 {
		return ips
	}
	sorted := make([]netip.Addr, 0, len(ips))
	var dead []netip.Addr
	for _, ip := range ips {
		if at, ok := g.buried[ip]; ok && now.Sub(at) < buriedFor {
			dead = append(dead, ip)
			continue
		}
		sorted = append(sorted, ip)
	}
	return append(sorted, dead...)
}
