package transport

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// A keeper looks after the connections of one host while there are any. net/http
// dials only when it has no idle connection, so a busy one would stay at an
// address that has long been taken out of service (golang/go#23427).
type keeper struct {
	h         *host
	lookAt    time.Time     // when the names are due
	usedAt    int64         // the host's last use at the last look
	changed   bool          // the addresses are others than those of the connections
	hold      time.Duration // pause between two rotations because of addresses
	rotatedAt time.Time     // the last of these
}

// watch sees that a keeper runs. It is called after a connection was added.
func (h *host) watch() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.kept {
		h.kept = h.t.keepers.run(h.keep)
	}
}

// keep runs until no connection is left.
func (h *host) keep() {
	ctx := h.t.keepers.ctx
	age := h.t.cfg.Resolver.refreshAge()
	k := &keeper{h: h, lookAt: time.Now().Add(age), hold: age}
	for {
		conns := h.t.conns.to(h)
		if len(conns) == 0 && h.release() {
			return
		}
		timer := time.NewTimer(k.tend(ctx, conns))
		select {
		case <-timer.C:
		case <-h.wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// release ends the keeper, unless a connection was added in the meantime.
func (h *host) release() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = len(h.t.conns.to(h)) > 0
	return !h.kept
}

// tend does what is due and returns how long there is nothing to do.
func (k *keeper) tend(ctx context.Context, conns []*conn) time.Duration {
	l := k.h.lane.Load()
	mine := slices.DeleteFunc(slices.Clone(conns), func(c *conn) bool { return c.lane != l })
	if now := time.Now(); !now.Before(k.lookAt) {
		k.look(ctx, mine)
		k.lookAt = now.Add(k.h.t.cfg.Resolver.refreshAge())
	}
	if l != nil && len(mine) > 0 {
		if reason := k.reason(l, mine); reason != "" {
			k.rotate(ctx, l, mine, reason)
		}
	}
	wait := time.Until(k.lookAt)
	if l != nil && l == k.h.lane.Load() && l.limit > 0 && len(mine) > 0 {
		wait = min(wait, time.Until(oldest(mine).Add(l.limit)))
	}
	if l != nil && l.h2c() {
		wait = min(wait, k.closeUnused(l))
	}
	for _, old := range k.old(conns) {
		if old != l { // one that was replaced just now may have a request on its way into it
			old.closeIdle() // those in use are looked at again
		}
		wait = min(wait, retireInterval)
	}
	return max(wait, drainInterval)
}

// closeUnused closes the connections of a lane that was not used for
// idle_conn_timeout, and returns when to look again.
func (k *keeper) closeUnused(l *lane) time.Duration {
	left := k.h.t.cfg.IdleConnTimeout - k.unused()
	if left > 0 {
		return left
	}
	l.closeIdle()
	return retireInterval
}

// unused is how long ago the last request began.
func (k *keeper) unused() time.Duration { return time.Since(time.Unix(0, k.h.used.Load())) }

// old returns the lanes that take no more requests and still have connections.
func (k *keeper) old(conns []*conn) []*lane {
	var lanes []*lane
	for _, c := range conns {
		if c.lane != k.h.lane.Load() && !slices.Contains(lanes, c.lane) {
			lanes = append(lanes, c.lane)
		}
	}
	return lanes
}

// retireInterval is how often connections that are to be closed are looked at.
const retireInterval = 250 * time.Millisecond

// look asks for the names again that the connections were dialed by, if the host
// has been used since the last time.
func (k *keeper) look(ctx context.Context, conns []*conn) {
	used := k.h.used.Load()
	if used == k.usedAt {
		return
	}
	k.usedAt = used
	k.changed = false
	answers := make(map[string][]netip.Addr)
	for _, c := range conns {
		if !c.ip.IsValid() {
			continue
		}
		name := hostname(c.to.host)
		now, asked := answers[name]
		if !asked {
			now, _ = k.h.t.resolver.renew(ctx, name) // without an answer nothing has changed
			answers[name] = now
		}
		if now != nil && moved(c, now) {
			k.changed = true
		}
	}
}

// moved reports whether a connection was dialed when its name led elsewhere. That
// a family was missing then is no move: its answer may have been late.
func moved(c *conn, now []netip.Addr) bool {
	if !slices.Contains(now, c.ip) {
		return true
	}
	return slices.ContainsFunc(now, func(ip netip.Addr) bool {
		return ip.Is4() == c.ip.Is4() && !slices.Contains(c.among, ip)
	})
}

// oldest is when the first of the connections was opened.
func oldest(conns []*conn) time.Time {
	return slices.MinFunc(conns, func(a, b *conn) int { return a.born.Compare(b.born) }).born
}

// reason tells why the connections should be replaced now; "" if not.
func (k *keeper) reason(l *lane, conns []*conn) string {
	now := time.Now()
	if l.limit > 0 && now.Sub(oldest(conns)) >= l.limit {
		return "age"
	}
	if !k.changed || !k.rotatedAt.IsZero() && now.Sub(k.rotatedAt) < k.hold {
		return ""
	}
	return "addresses"
}

// rotate opens as many connections in a new lane as the old one has, and then sends
// requests there. If none can be opened, the old ones stay.
func (k *keeper) rotate(ctx context.Context, old *lane, conns []*conn, reason string) {
	t := k.h.t
	k.pace(reason)
	fresh, err := t.newLane(k.h)
	opened := 0
	if err == nil && k.inUse() {
		opened, err = t.replace(ctx, fresh, conns)
	}
	if err != nil && opened == 0 {
		fresh, opened = nil, 0
		if ctx.Err() == nil {
			t.emit(Event{Kind: EventNotRotated, Host: k.h.key.addr(), Reason: reason, Err: err})
		}
		if reason == "age" {
			old.limit += t.cfg.Resolver.refreshAge() // the next try
		}
		return
	}
	k.changed = false
	if k.h.lane.CompareAndSwap(old, fresh) {
		t.count.rotations.Add(1)
		t.emit(Event{Kind: EventRotated, Host: k.h.key.addr(), Reason: reason, Conns: opened})
	}
}

// pace makes the pause between rotations longer while they follow each other:
// large services answer every question with other addresses, and their
// connections would be replaced for ever.
func (k *keeper) pace(reason string) {
	if reason != "addresses" {
		return
	}
	age := k.h.t.cfg.Resolver.refreshAge()
	now := time.Now()
	if !k.rotatedAt.IsZero() && now.Sub(k.rotatedAt) < 2*k.hold {
		k.hold = min(2*k.hold, maxHold)
	} else {
		k.hold = age
	}
	k.rotatedAt = now
}

// maxHold bounds the pause between rotations because of addresses.
const maxHold = 10 * time.Minute

// inUse reports whether a request is likely to come before new connections would
// be closed as idle.
func (k *keeper) inUse() bool {
	return k.unused() < k.h.t.cfg.IdleConnTimeout
}
