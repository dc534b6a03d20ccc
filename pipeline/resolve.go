package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// plan is a pipeline with its final order, and for each stage the layers of its settings.
type plan struct {
	at        *conf.Node       // where the pipeline was written
	own       map[string]layer // the settings that it does not owe to what it extends
	order     []*conf.Node
	layers    map[string][]layer
	stores    map[string][]layer
	transport []layer
	warnings  []Warning
}

func (p *plan) index(id string) int {
	return slices.IndexFunc(p.order, func(n *conf.Node) bool { return n.Text == id })
}

// resolve applies what s extends, and its insert and off.
func (r *Registry) resolve(name string, s source, file map[string]source) (*plan, []error) {
	p, errs := r.extend(s, file, []string{name})
	p.at, p.own = s.at, s.settings
	for id, l := range s.settings {
		written := l.node == nil || l.node.Kind != conf.Null
		if written && p.index(id) < 0 && !listed(s.off, id) {
			p.warnings = append(p.warnings, Warning{
				Path:    joined(s.at.Path, "stages."+id),
				Message: "settings for a stage that is not in the order",
			})
		}
	}
	return p, errs
}

func joined(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// extend gives the plan of s over the plan of what it extends. above are the
// pipelines that lead here.
func (r *Registry) extend(s source, file map[string]source, above []string) (*plan, []error) {
	p := &plan{layers: map[string][]layer{}, stores: map[string][]layer{}}
	var errs []error
	if s.extends != nil {
		parent, more := r.parent(s.extends, file, above)
		errs = append(errs, more...)
		if parent != nil {
			p = parent
		}
	}
	if s.order != nil {
		p.order, errs = r.checkOrder(s.order, errs)
	}
	errs = append(errs, r.insert(p, s.insert)...)
	errs = append(errs, p.switchOff(s.off)...)
	for id, l := range s.settings {
		if err := r.checkID(id, origin(l, s.at, "stages."+id)); err != nil {
			errs = append(errs, err)
			continue
		}
		p.layers[id] = append(p.layers[id], l)
	}
	for id, l := range s.stores {
		if err := r.checkStoreID(id, origin(l, s.at, "stores."+id)); err != nil {
			errs = append(errs, err)
			continue
		}
		p.stores[id] = append(p.stores[id], l)
	}
	p.transport = append(p.transport, s.transport...)
	return p, errs
}

func (r *Registry) parent(at *conf.Node, file map[string]source, above []string) (*plan, []error) {
	name := at.Text
	if s, ok := file[name]; ok && !slices.Contains(above, name) {
		return r.extend(s, file, append(above, name))
	} else if preset, known := r.presets[name]; known {
		// A pipeline may have the name of the preset that it extends.
		return r.extend(preset, r.presets, append(above, name))
	} else if ok {
		circle := append(above[slices.Index(above, name):], name)
		return nil, []error{at.Errorf("pipelines extend each other in a circle: %s", strings.Join(circle, " -> "))}
	}
	known := slices.Concat(slices.Collect(maps.Keys(r.presets)), slices.Collect(maps.Keys(file)))
	slices.Sort(known)
	return nil, []error{at.Errorf("%q: %s", name, conf.UnknownKey("pipeline", name, slices.Compact(known)))}
}

// checkOrder keeps the ids of known stages that stand once.
func (r *Registry) checkOrder(order []*conf.Node, errs []error) ([]*conf.Node, []error) {
	kept := []*conf.Node{}
	for _, n := range order {
		if slices.Contains(texts(kept), n.Text) {
			errs = append(errs, n.Errorf("%q stands twice in the order; a second stage of the type needs a name, such as %s/second", n.Text, typeOf(n.Text)))
			continue
		}
		if err := r.checkID(n.Text, n); err != nil {
			errs = append(errs, err)
			continue
		}
		kept = append(kept, n)
	}
	return kept, errs
}

// insert puts stages into the order. One may stand next to another that is
// inserted too, so it repeats until no further one finds its place.
func (r *Registry) insert(p *plan, all []insertion) []error {
	var errs []error
	var pending []insertion
	for _, i := range all {
		if err := r.checkID(i.id, i.at); err != nil {
			errs = append(errs, err)
		} else if p.index(i.id) >= 0 {
			errs = append(errs, i.at.KeyErrorf("%q stands in the order already", i.id))
		} else {
			pending = append(pending, i)
		}
	}
	for before := -1; before != len(pending); {
		before = len(pending)
		pending = slices.DeleteFunc(pending, p.place)
	}
	for _, i := range pending {
		errs = append(errs, p.missing(i.at, i.anchor))
	}
	return errs
}

// place inserts a stage if its neighbour is there.
func (p *plan) place(i insertion) bool {
	at := p.index(i.anchor)
	if at < 0 {
		return false
	}
	if i.after {
		at++
	}
	n := &conf.Node{Kind: conf.String, Text: i.id, Path: i.at.Path, Pos: i.at.Pos, KeyPos: i.at.KeyPos}
	p.order = slices.Insert(slices.Clone(p.order), at, n)
	return true
}

// switchOff takes stages out of the order, by id or type.
func (p *plan) switchOff(off []*conf.Node) []error {
	var errs []error
	for _, n := range off {
		if !slices.ContainsFunc(p.order, func(x *conf.Node) bool { return names(n.Text, x.Text) }) {
			errs = append(errs, p.missing(n, n.Text))
		}
	}
	p.order = slices.DeleteFunc(slices.Clone(p.order), func(x *conf.Node) bool { return listed(off, x.Text) })
	return errs
}

// missing is the error of something that names a stage that is not in the order.
func (p *plan) missing(at *conf.Node, id string) error {
	order := texts(p.order)
	if s := conf.Suggest(id, order); s != "" {
		return at.Errorf("%q is not in the order; did you mean %q?", id, s)
	}
	return at.Errorf("%q is not in the order, which is [%s]", id, strings.Join(order, ", "))
}

// checkID tells whether id names a known type, alone or as type/name.
func (r *Registry) checkID(id string, at *conf.Node) error {
	typ, name, named := strings.Cut(id, "/")
	if _, ok := r.factories[typ]; !ok {
		return at.KeyErrorf("%q: %s", id, conf.UnknownKey("stage", typ, slices.Sorted(maps.Keys(r.factories))))
	}
	return checkName(typ, name, named, at)
}

func checkName(typ, name string, named bool, at *conf.Node) error {
	if named && !isName(name) {
		return at.KeyErrorf("%q is not a name; write small letters, digits, - and _, as in %s/second", name, typ)
	}
	return nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// origin is where settings were written.
func origin(l layer, at *conf.Node, path string) *conf.Node {
	if l.node != nil {
		return l.node
	}
	return goNode(joined(at.Path, path), "")
}

func typeOf(id string) string {
	typ, _, _ := strings.Cut(id, "/")
	return typ
}

// listed tells whether a list names the stage id.
func listed(list []*conf.Node, id string) bool {
	return slices.ContainsFunc(list, func(n *conf.Node) bool { return names(n.Text, id) })
}

// names tells whether a word in off, or given to Skip, means the stage id: it
// is the id or its type.
func names(word, id string) bool { return word == id || word == typeOf(id) }

func texts(list []*conf.Node) []string {
	all := make([]string, 0, len(list))
	for _, n := range list {
		all = append(all, n.Text)
	}
	return all
}

// unwritten stands for the settings of a stage that has none in a file. Its
// place is at, where the order names it, unless that is the order of a preset.
func (p *plan) unwritten(id string, at *conf.Node) *conf.Node {
	if at.KeyPos.File == presetsFile {
		at = p.at
	}
	return &conf.Node{Kind: conf.Map, Path: joined(p.at.Path, "stages."+id), Pos: at.Pos, KeyPos: at.KeyPos}
}

// settings decodes and validates the settings of all stages in the order, and of
// the transport, and checks that they do not contradict each other.
func (r *Registry) settings(p *plan) (Config, []error) {
	cfg := Config{Order: texts(p.order), Stages: map[string]any{}}
	var errs []error
	for _, n := range p.order {
		c, more := r.factories[typeOf(n.Text)].settings(p.unwritten(n.Text, n), p.layers[n.Text])
		errs = append(errs, more...)
		cfg.Stages[n.Text] = c
	}
	for id, layers := range p.layers {
		if p.index(id) < 0 { // not in use, but what is wrong is told
			_, more := r.factories[typeOf(id)].settings(p.unwritten(id, p.at), layers)
			errs = append(errs, more...)
		}
	}
	var more []error
	cfg.Stores, more = r.storeSettings(p)
	errs = append(errs, more...)
	cfg.Transport, more = transportConfig(p.transport)
	errs = append(errs, more...)
	return cfg, append(errs, contradictions(p, cfg)...)
}
