package tiered

// owed is what a tier has missed: deletions that have to be made up for before it is read again. One that it has not
// missed can do no harm.
type owed struct {
	keys map[string]struct{} // to delete
	tags map[string]struct{} // to invalidate
	all  bool                // to clear; then keys and tags are empty
}

func (o *owed) key(key string, most int) { o.add(&o.keys, key, most) }
func (o *owed) tag(tag string, most int) { o.add(&o.tags, tag, most) }
func (o *owed) everything()              { *o = owed{all: true} }
func (o *owed) nothing() bool            { return !o.all && len(o.keys) == 0 && len(o.tags) == 0 }

func (o *owed) add(set *map[string]struct{}, name string, most int) {
	if o.all {
		return
	}
	if *set == nil {
		*set = map[string]struct{}{}
	}
	(*set)[name] = struct{}{}
	if len(o.keys)+len(o.tags) > most {
		o.everything()
	}
}

// join adds what another owes.
func (o *owed) join(other owed, most int) {
	for key := range other.keys {
		o.key(key, most)
	}
	for tag := range other.tags {
		o.tag(tag, most)
	}
	if other.all {
		o.everything()
	}
}
