package httpcache

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/headgate-go/headgate/cachestore"
)

// labelMark is a generation, a random text, under a label: a URL or a tag. Answers in
// a byte store carry the marks that were valid before the upstream was asked;
// purging replaces the mark, and every answer with the old one is invalid,
// whichever process stores it, and whenever. A mark that is lost takes its answers
// with it, which is safe.
type labelMark struct{ label, generation string }

// stamp is all that makes an answer valid.
type stamp struct {
	url   string // the generation of its URL's mark
	tags  []labelMark
	epoch string // of the list of purged prefixes
	seq   uint64 // how long that list was
}

// markLife is how long a mark lives, and so no answer in a byte store lives longer.
const markLife = 30 * 24 * time.Hour

// maxKnownMarks bounds the marks that are held in memory to be asked for less often.
const maxKnownMarks = 4096

// marks asks the store for marks, each not more often than once in purge_within.
type marks struct {
	keeper *encoded

	making   sync.Mutex // held while a mark is made, so that concurrent misses do not make several
	mu       sync.Mutex
	known    map[string]known
	prefixes *prefixes
}

// known is a mark as it was read or written.
type known struct {
	generation string
	expires    time.Time
	at         time.Time
}

func markKey(label string) string { return "mark " + label }

// current gives the generation of a label; empty if there is none.
func (m *marks) current(ctx context.Context, label string) (known, error) {
	now := time.Now()
	m.mu.Lock()
	k, ok := m.known[label]
	m.mu.Unlock()
	if ok && now.Sub(k.at) < m.keeper.settings.Load().purgeWithin && now.Before(k.expires) {
		return k, nil
	}
	stored, found, err := m.keeper.read(cachestore.Latest(ctx), markKey(label))
	if err != nil || !found {
		return known{}, err
	}
	k = known{string(stored.Body), stored.Expires, now}
	m.learn(label, k)
	return k, nil
}

func (m *marks) learn(label string, k known) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxKnownMarks {
		m.known = make(map[string]known)
	}
	m.known[label] = k
}

// ensure gives the generation of a label, and makes one where there is none. One
// that has not long to live is replaced: what it vouched for is asked for again.
func (m *marks) ensure(ctx context.Context, label string) (string, error) {
	k, err := m.current(ctx, label)
	if err != nil || time.Until(k.expires) >= markLife/2 {
		return k.generation, err
	}
	m.making.Lock()
	defer m.making.Unlock()
	if k, err = m.current(ctx, label); err != nil || time.Until(k.expires) >= markLife/2 {
		return k.generation, err // made meanwhile
	}
	return m.write(ctx, label)
}

func (m *marks) write(ctx context.Context, label string) (string, error) {
	now := time.Now()
	k := known{rand.Text(), now.Add(markLife), now}
	err := m.keeper.write(ctx, cachestore.Entry{Key: markKey(label), Stored: now, Expires: k.expires, Body: []byte(k.generation)})
	if err != nil {
		return "", err
	}
	m.learn(label, k)
	return k.generation, nil
}

// bump makes invalid what has the label's mark. Where there is no mark, nothing has it.
func (m *marks) bump(ctx context.Context, label string) error {
	m.mu.Lock()
	delete(m.known, label)
	m.mu.Unlock()
	k, err := m.current(ctx, label)
	if err == nil && k.generation != "" {
		_, err = m.write(ctx, label)
	}
	return err
}

// note makes the stamp for an answer that is about to be asked for.
func (m *marks) note(ctx context.Context, url string, tags []string) (s stamp, err error) {
	list, err := m.ensureList(ctx)
	if err != nil {
		return stamp{}, err
	}
	s = stamp{epoch: list.epoch, seq: list.seq}
	if s.tags, err = m.tags(ctx, tags, nil); err != nil {
		return stamp{}, err
	}
	if s.url, err = m.ensure(ctx, urlTag(url)); err != nil {
		return stamp{}, err
	}
	return s, nil
}

// tags gives the marks of tags: as they were noted, or as they are now.
func (m *marks) tags(ctx context.Context, tags []string, noted []labelMark) ([]labelMark, error) {
	var out []labelMark
	for _, tag := range tags {
		if i := slices.IndexFunc(noted, func(n labelMark) bool { return n.label == tag }); i >= 0 {
			out = append(out, noted[i])
			continue
		}
		generation, err := m.ensure(ctx, tag)
		if err != nil {
			return nil, err
		}
		out = append(out, labelMark{tag, generation})
	}
	return out, nil
}

// valid tells whether nothing that an answer is stamped with was purged. What the
// store cannot tell is not valid.
func (m *marks) valid(ctx context.Context, url string, s *stamp) (bool, error) {
	k, err := m.current(ctx, urlTag(url))
	if err != nil || k.generation == "" || k.generation != s.url {
		return false, err
	}
	for _, tag := range s.tags {
		if k, err = m.current(ctx, tag.label); err != nil || k.generation != tag.generation {
			return false, err
		}
	}
	list, err := m.list(ctx)
	if err != nil || list == nil {
		return false, err
	}
	return list.valid(url, s), nil
}

// hasPrefix tells whether a URL begins with a prefix.
func hasPrefix(url, prefix string) bool { return strings.HasPrefix(url, prefix) }
