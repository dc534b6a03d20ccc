package httpcache

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/headgate-go/headgate/cachestore"
)

// prefixes is the list of purged prefixes of a byte store, which can't be searched
// for URLs. An answer notes how long the list was, and is invalid when one of what
// came later is a prefix of its URL. It is immutable.
type prefixes struct {
	epoch  string // random: another one after the list was lost or is full
	seq    uint64 // of the last one
	purged []string
	read   time.Time
}

// maxPrefixes bounds the list. When it is full it begins anew, and everything stored before is invalid.
const maxPrefixes = 64

// purgeAttempts is how often a prefix is added, until it is found in the list:
// another process may add one at the same time.
const purgeAttempts = 3

const prefixesKey = "purged prefixes"

func (p *prefixes) valid(url string, s *stamp) bool {
	first := p.seq - uint64(len(p.purged))
	if p.epoch != s.epoch || s.seq < first || s.seq > p.seq {
		return false
	}
	for _, prefix := range p.purged[s.seq-first:] {
		if hasPrefix(url, prefix) {
			return false
		}
	}
	return true
}

// list gives the list, nil if there is none, asking not more often than once in purge_within.
func (m *marks) list(ctx context.Context) (*prefixes, error) {
	m.mu.Lock()
	p := m.prefixes
	m.mu.Unlock()
	if p != nil && time.Since(p.read) < m.keeper.settings.Load().purgeWithin {
		return p, nil
	}
	return m.readList(ctx)
}

func (m *marks) readList(ctx context.Context) (*prefixes, error) {
	now := time.Now()
	stored, found, err := m.keeper.read(cachestore.Latest(ctx), prefixesKey)
	if err != nil || !found || stored.Expires.Sub(now) < markLife/2 {
		return nil, err // near its end it begins anew, as a mark does
	}
	p := decodePrefixes(stored.Body)
	if p == nil {
		m.keeper.damaged.Add(1)
		return nil, nil
	}
	p.read = now
	m.setList(p)
	return p, nil
}

func (m *marks) setList(p *prefixes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.prefixes = p
}

// ensureList gives the list, and makes one where there is none.
func (m *marks) ensureList(ctx context.Context) (*prefixes, error) {
	if p, err := m.list(ctx); err != nil || p != nil {
		return p, err
	}
	m.making.Lock()
	defer m.making.Unlock()
	if p, err := m.list(ctx); err != nil || p != nil {
		return p, err // made meanwhile
	}
	return m.begin(ctx)
}

// begin writes an empty list.
func (m *marks) begin(ctx context.Context) (*prefixes, error) {
	p := &prefixes{epoch: rand.Text()}
	return p, m.writeList(ctx, p)
}

func (m *marks) writeList(ctx context.Context, p *prefixes) error {
	now := time.Now()
	var w writer
	w.b = append(w.b, codecVersion)
	w.string(p.epoch)
	w.count(int(p.seq))
	w.count(len(p.purged))
	for _, prefix := range p.purged {
		w.string(prefix)
	}
	p.read = now
	err := m.keeper.write(ctx, cachestore.Entry{Key: prefixesKey, Stored: now, Expires: now.Add(markLife), Body: w.b})
	if err == nil {
		m.setList(p)
	}
	return err
}

func decodePrefixes(b []byte) *prefixes {
	if len(b) == 0 || b[0] != codecVersion {
		return nil
	}
	r := reader{b: b[1:], text: string(b[1:])}
	p := &prefixes{epoch: r.string(), seq: r.uvarint()}
	for range r.count() {
		p.purged = append(p.purged, r.string())
	}
	if r.bad || r.at != len(r.b) || uint64(len(p.purged)) > p.seq {
		return nil
	}
	return p
}

// purge adds a prefix to the list. A full list begins anew.
func (m *marks) purge(ctx context.Context, prefix string) error {
	for range purgeAttempts {
		p, err := m.readList(ctx)
		if err != nil {
			return err
		}
		if p == nil || len(p.purged) >= maxPrefixes {
			_, err := m.begin(ctx)
			return err
		}
		next := &prefixes{epoch: p.epoch, seq: p.seq + 1, purged: append(p.purged[:len(p.purged):len(p.purged)], prefix)}
		if err := m.writeList(ctx, next); err != nil {
			return err
		}
		now, err := m.readList(ctx)
		if err != nil || now != nil && now.includes(p, prefix) {
			return err
		}
	}
	return fmt.Errorf("httpcache: purge of a prefix: %d other changes of the list came between", purgeAttempts)
}

// includes tells whether prefix was added to what the list was before.
func (p *prefixes) includes(before *prefixes, prefix string) bool {
	return p.epoch != before.epoch || slices.Contains(p.purged[min(len(before.purged), len(p.purged)):], prefix)
}
