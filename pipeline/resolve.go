package pipeline

import (
	"maps"
	"slices"
	"strings"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

// plan is a pipeline with its final order, and for each stage the layers of its settings.
type plan struct {
	name      string
	order     []*conf.Node
	layers    map[string][]layer
	transport []layer
	warnings  []Warning
}

func (p *plan) index(id string) int {
	return slices.IndexFunc(p.order, func(n *conf.Node) bool { return n.Text == id })
}

// resolve applies what s extends, and its insert and off.
func (r *Registry) resolve(name string, s source, file map[string]source) (*plan, []error) {
	p, errs := r.extend(s, file, []string{name})
	p.name = name
	for id := range s.settings {
		if p.index(id) < 0 && !listed(s.off, id) && !listed(s.off, typeOf(id)) {
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
	p := &plan{layers: map[string][]layer{}}
	var errs []error
	if s.extends != nil {
		parent, more := r.parent(s.extends, file, above)
		errs = append(errs, more...)
		if parent != nil {
			p = parent
			p.warnings = nil
		}
	}
	if s.order != nil {
		p.order, errs = r.checkOrder(s.order, errs)
	}
	for _, i := range s.insert {
		errs = r.insert(p, i, errs)
	}
	for _, n := range s.off {
		before := len(p.order)
		p.order = slices.DeleteFunc(slices.Clone(p.order), func(x *conf.Node) bool {
			return x.Text == n.Text || typeOf(x.Text) == n.Text
		})
		if len(p.order) == before {
			errs = append(errs, n.Errorf("%s", conf.UnknownKey("stage", n.Text, texts(p.order))))
		}
	}
	for id, l := range s.settings {
		if err := r.checkID(id, place(l, s.at, id)); err != nil {
			errs = append(errs, err)
			continue
		}
		p.layers[id] = append(slices.Clone(p.layers[id]), l)
	}
	if s.transport != (layer{}) {
		p.transport = append(slices.Clone(p.transport), s.transport)
	}
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
		return nil, []error{at.Errorf("pipelines extend each other in a circle: %s", strings.Join(append(above, name), " -> "))}
	}
	known := slices.Concat(slices.Collect(maps.Keys(r.presets)), slices.Collect(maps.Keys(file)))
	slices.Sort(known)
	return nil, []error{at.Errorf("%s", conf.UnknownKey("preset or pipeline", name, slices.Compact(known)))}
}

// checkOrder keeps the ids of known stages that stand once.
func (r *Registry) checkOrder(order []*conf.Node, errs []error) ([]*conf.Node, []error) {
	kept := []*conf.Node{}
	for _, n := range order {
		if listed(kept, n.Text) {
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

func (r *Registry) insert(p *plan, i insertion, errs []error) []error {
	at := p.index(i.anchor)
	if err := r.checkID(i.id, i.at); err != nil {
		return append(errs, err)
	}
	switch {
	case p.index(i.id) >= 0:
		return append(errs, i.at.KeyErrorf("%q stands in the order already", i.id))
	case at < 0:
		return append(errs, i.at.Errorf("%s", conf.UnknownKey("stage", i.anchor, texts(p.order))))
	case i.after:
		at++
	}
	n := *i.at
	n.Kind, n.Text, n.Entries = conf.String, i.id, nil
	p.order = slices.Insert(slices.Clone(p.order), at, &n)
	return errs
}

// checkID tells whether id names a known type, alone or as type/name.
func (r *Registry) checkID(id string, at *conf.Node) error {
	typ, name, named := strings.Cut(id, "/")
	if _, ok := r.factories[typ]; !ok {
		return at.Errorf("%s", conf.UnknownKey("stage", typ, slices.Sorted(maps.Keys(r.factories))))
	}
	if named && !stageName(name) {
		return at.Errorf("%q is not a name; write letters, digits, - and _, as in %s/second", name, typ)
	}
	return nil
}

func stageName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func place(l layer, at *conf.Node, id string) *conf.Node {
	if l.node != nil {
		return l.node
	}
	return goNode(joined(at.Path, "stages."+id), "")
}

func typeOf(id string) string {
	typ, _, _ := strings.Cut(id, "/")
	return typ
}

func listed(list []*conf.Node, id string) bool {
	return slices.ContainsFunc(list, func(n *conf.Node) bool { return n.Text == id })
}

func texts(list []*conf.Node) []string {
	all := make([]string, 0, len(list))
	for _, n := range list {
		all = append(all, n.Text)
	}
	return all
}

// unwritten stands for the settings of a stage that has none in a file: its place is where the order names it.
func unwritten(id string, at *conf.Node) *conf.Node {
	return &conf.Node{Kind: conf.Map, Path: "stages." + id, Pos: at.Pos, KeyPos: at.KeyPos}
}

// settle decodes and validates the settings of all stages in the order, and of
// the transport, and checks that they do not contradict each other.
func (r *Registry) settle(p *plan) (Config, []error) {
	cfg := Config{Order: texts(p.order), Stages: map[string]any{}}
	var errs []error
	for _, n := range p.order {
		c, more := r.factories[typeOf(n.Text)].settings(unwritten(n.Text, n), p.layers[n.Text])
		errs = append(errs, more...)
		cfg.Stages[n.Text] = c
	}
	for id, layers := range p.layers {
		if p.index(id) < 0 { // not in use, but what is wrong is told
			_, more := r.factories[typeOf(id)].settings(unwritten(id, &conf.Node{}), layers)
			errs = append(errs, more...)
		}
	}
	var more []error
	cfg.Transport, more = transportConfig(p.transport)
	errs = append(errs, more...)
	return cfg, append(errs, contradictions(p, cfg)...)
}
