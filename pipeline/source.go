package pipeline

import (
	"fmt"
	"maps"
	"slices"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
	"github.com/headgate-go/headgate/transport"
)

// source is a pipeline's configuration as somebody wrote it, in a file or in
// Go: names have their places, settings are not decoded.
type source struct {
	at        *conf.Node
	extends   *conf.Node   // nil: nothing
	order     []*conf.Node // nil: that of what is extended
	insert    []insertion
	off       []*conf.Node
	settings  map[string]layer
	stores    map[string]layer
	transport []layer // one, or none
}

// insertion puts the stage id next to another.
type insertion struct {
	id     string
	at     *conf.Node
	anchor string
	after  bool
}

// readSource reads a pipeline's part of a file.
func readSource(n *conf.Node) (source, []error) {
	s := source{at: n, settings: map[string]layer{}, stores: map[string]layer{}}
	var in struct {
		Extends   *conf.Node            `yaml:"extends"`
		Order     []*conf.Node          `yaml:"order"`
		Insert    map[string]*conf.Node `yaml:"insert"`
		Off       []*conf.Node          `yaml:"off"`
		Stages    map[string]*conf.Node `yaml:"stages"`
		Stores    map[string]*conf.Node `yaml:"stores"`
		Transport *conf.Node            `yaml:"transport"`
	}
	errs := conf.Decode(n, &in)
	s.extends = in.Extends
	if in.Transport != nil {
		s.transport = []layer{{node: in.Transport}}
	}
	s.order, errs = ids(in.Order, errs)
	if n.Get("order") != nil && s.order == nil {
		s.order = []*conf.Node{}
	}
	s.off, errs = ids(in.Off, errs)
	if s.extends != nil && s.extends.Kind != conf.String {
		errs = append(errs, s.extends.Errorf("%s; write the name of a preset or of a pipeline", s.extends.Kind))
		s.extends = nil
	}
	for _, id := range slices.Sorted(maps.Keys(in.Insert)) {
		var p Position
		at := in.Insert[id]
		if bad := conf.Decode(at, &p); len(bad) > 0 {
			errs = append(errs, bad...)
			continue
		}
		errs = s.addInsertion(id, at, p, errs)
	}
	readLayers(n.Get("stages"), s.settings) // not in.Stages: a null counts, it takes away what is extended
	readLayers(n.Get("stores"), s.stores)
	return s, errs
}

func readLayers(n *conf.Node, to map[string]layer) {
	if n != nil {
		for _, e := range n.Entries {
			to[e.Key] = layer{node: e.Value}
		}
	}
}

// ids keeps the texts of a list.
func ids(list []*conf.Node, errs []error) ([]*conf.Node, []error) {
	var kept []*conf.Node
	for _, n := range list {
		if n == nil || n.Kind != conf.String {
			if n != nil {
				errs = append(errs, n.Errorf("%s; write the id of a stage, such as retry or timeout/total", n.Kind))
			}
			continue
		}
		kept = append(kept, n)
	}
	return kept, errs
}

func (s *source) addInsertion(id string, at *conf.Node, p Position, errs []error) []error {
	if (p.Before == "") == (p.After == "") {
		return append(errs, at.Errorf("say either before or after which stage, as in {before: retry}"))
	}
	i := insertion{id: id, at: at, anchor: p.Before}
	if p.After != "" {
		i.anchor, i.after = p.After, true
	}
	s.insert = append(s.insert, i)
	return errs
}

// goSource takes a Config that was made in Go.
func goSource(cfg Config) (source, []error) {
	s := source{at: goNode("", ""), settings: map[string]layer{}, stores: map[string]layer{}}
	var errs []error
	if cfg.Extends != "" {
		s.extends = goNode("extends", cfg.Extends)
	}
	if cfg.Order != nil {
		s.order = []*conf.Node{}
	}
	for i, id := range cfg.Order {
		s.order = append(s.order, goNode(fmt.Sprintf("order[%d]", i), id))
	}
	for i, id := range cfg.Off {
		s.off = append(s.off, goNode(fmt.Sprintf("off[%d]", i), id))
	}
	for _, id := range slices.Sorted(maps.Keys(cfg.Insert)) {
		errs = s.addInsertion(id, goNode("insert."+id, ""), cfg.Insert[id], errs)
	}
	errs = goLayers("stages", cfg.Stages, s.settings, errs)
	errs = goLayers("stores", cfg.Stores, s.stores, errs)
	if cfg.Transport != nil {
		s.transport = []layer{{value: *cfg.Transport}}
	}
	return s, errs
}

func goLayers(key string, values map[string]any, to map[string]layer, errs []error) []error {
	for _, id := range slices.Sorted(maps.Keys(values)) {
		switch v := values[id].(type) {
		case nil, map[string]any:
			tree, err := conf.FromMap("", map[string]any{key: map[string]any{id: v}})
			if err != nil {
				errs = append(errs, err)
				continue
			}
			to[id] = layer{node: tree.Get(key).Entries[0].Value}
		default:
			to[id] = layer{value: v}
		}
	}
	return errs
}

func goNode(path, text string) *conf.Node {
	return &conf.Node{Kind: conf.String, Text: text, Path: path}
}

// transportConfig settles the base transport; nil where nobody says anything of it.
func transportConfig(layers []layer) (*transport.Config, []error) {
	if len(layers) == 0 {
		return nil, nil
	}
	c, errs := settle("transport", transport.DefaultConfig(), goNode("transport", ""), layers)
	return &c, errs
}
