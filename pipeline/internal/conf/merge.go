package conf

// Merge lays overlay over base and returns the result; nil is an empty tree.
// Where both have a map the maps merge, key by key; otherwise what overlay has
// replaces what base has, lists too. A null in overlay replaces as well: for
// Get and Decode it is then as if nobody had written the key, so that the
// default holds; it stays in the tree, so that a later Merge over a preset
// takes the preset's value away too, and a misspelt key does not go unnoticed.
//
// Every node of the result keeps the position it was written at; a merged map
// keeps that of base. Keys of base come first, in their order.
//
// Merge is not associative: fold overlays from the left, as in
// Merge(Merge(base, first), second).
func Merge(base, overlay *Node) *Node {
	switch {
	case overlay == nil:
		return base
	case base == nil || base.Kind != Map || overlay.Kind != Map:
		return overlay
	case len(overlay.Entries) == 0:
		return base
	}
	over := make(map[string]*Node, len(overlay.Entries))
	for _, e := range overlay.Entries {
		over[e.Key] = e.Value
	}
	merged := *base
	merged.Entries = make([]Entry, 0, len(base.Entries)+len(over))
	for _, e := range base.Entries {
		if v, ok := over[e.Key]; ok {
			e.Value = Merge(e.Value, v)
			delete(over, e.Key)
		}
		merged.Entries = append(merged.Entries, e)
	}
	for _, e := range overlay.Entries {
		if _, isNew := over[e.Key]; isNew {
			merged.Entries = append(merged.Entries, e)
		}
	}
	return &merged
}
