package memory

import (
	"slices"
	"sync"
)

// tagIndex knows the entries of each tag. It holds entries, not keys: an entry is added once, before it is
// stored, and removed once, when the table tells that it left, so that the index holds what the table holds and
// their byte bound is one.
type tagIndex struct {
	mu    sync.Mutex
	byTag map[string]map[*entry]struct{}
}

func (x *tagIndex) add(e *entry) {
	if len(e.tags) == 0 {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byTag == nil {
		x.byTag = make(map[string]map[*entry]struct{})
	}
	for _, tag := range e.tags {
		members := x.byTag[tag]
		if members == nil {
			members = make(map[*entry]struct{}, 1)
			x.byTag[tag] = members
		}
		members[e] = struct{}{}
	}
}

func (x *tagIndex) remove(e *entry) {
	if len(e.tags) == 0 {
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
func (x *tagIndex) entries(tag string) []*entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	members := x.byTag[tag]
	out := make([]*entry, 0, len(members))
	for e := range members {
		out = append(out, e)
	}
	return out
}

// distinct is a sorted copy without duplicates, nil where there are no tags.
func distinct(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	out := slices.Clone(tags)
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}
