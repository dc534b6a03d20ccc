package memory

import (
	"slices"
	"sync"
)

// tagged is an entry that has tags. Its address tells it from what takes its place under its key.
type tagged struct {
	key  string
	tags []string // without duplicates
}

func newTagged(key string, tags []string) *tagged {
	if len(tags) == 0 {
		return nil
	}
	return &tagged{key, distinct(tags)}
}

// overhead is what an entry is charged for its tags.
func (t *tagged) overhead() (total int64) {
	if t == nil {
		return 0
	}
	for _, tag := range t.tags {
		total += int64(TagOverhead + len(tag))
	}
	return total
}

// tagIndex knows the entries of each tag. It holds entries, not keys: an entry is added once, before it is
// stored, and removed once, when the table tells that it left, so that the index holds what the table holds and
// their byte bound is one.
type tagIndex struct {
	mu    sync.Mutex
	byTag map[string]map[*tagged]struct{}
}

func (x *tagIndex) add(e *tagged) {
	if e == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byTag == nil {
		x.byTag = make(map[string]map[*tagged]struct{})
	}
	for _, tag := range e.tags {
		members := x.byTag[tag]
		if members == nil {
			members = make(map[*tagged]struct{}, 1)
			x.byTag[tag] = members
		}
		members[e] = struct{}{}
	}
}

func (x *tagIndex) remove(e *tagged) {
	if e == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, tag := range e.tags {
		members := x.byTag[tag]
		delete(members, e)
		if len(members) == 0 {
			delete(x.byTag, tag)
		}
	}
}

// entries is a copy of a tag's entries: deleting them takes locks of the table, and the table calls remove with
// those locks held.
func (x *tagIndex) entries(tag string) []*tagged {
	x.mu.Lock()
	defer x.mu.Unlock()
	members := x.byTag[tag]
	out := make([]*tagged, 0, len(members))
	for e := range members {
		out = append(out, e)
	}
	return out
}

// distinct is a sorted copy without duplicates.
func distinct(tags []string) []string {
	out := slices.Clone(tags)
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}
