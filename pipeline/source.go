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
	transport layer
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
	s := source{at: n, settings: map[string]layer{}}
	var in struct {
		Extends   *conf.Node            `yaml:"extends"`
		Order     []*conf.Node          `yaml:"order"`
		Insert    map[string]*conf.Node `yaml:"insert"`
		Off       []*conf.Node          `yaml:"off"`
		Stages    map[string]*conf.Node `yaml:"stages"`
		Transport *conf.Node            `yaml:"transport"`
	}
	errs := conf.Decode(n, &in)
	s.extends, s.transport = in.Extends, layer{node: in.Transport}
	s.order, errs = names(in.Order, errs)
	if n.Get("order") != nil && s.order == nil {
		s.order = []*conf.Node{}
	}
	s.off, errs = names(in.Off, errs)
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
	for id, settings := range in.Stages {
		s.settings[id] = layer{node: settings}
	}
	return s, errs
}

// names keeps the texts of a list.
func names(list []*conf.Node, errs []error) ([]*conf.Node, []error) {
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
	s := source{at: goNode("", ""), settings: map[string]layer{}}
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
	for _, id := range slices.Sorted(maps.Keys(cfg.Stages)) {
		switch v := cfg.Stages[id].(type) {
		case nil:
		case map[string]any:
			n, err := conf.FromMap("stages."+id, v)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			s.settings[id] = layer{node: n}
		default:
			s.settings[id] = layer{value: v}
		}
	}
	if cfg.Transport != nil {
		s.transport = layer{value: *cfg.Transport}
	}
	return s, errs
}

func goNode(path, text string) *conf.Node {
	return &conf.Node{Kind: conf.String, Text: text, Path: path}
}

// transportConfig decodes the settings of the base transport.
func transportConfig(layers []layer) (*transport.Config, []error) {
	var n *conf.Node
	c, given := transport.DefaultConfig(), false
	for _, l := range layers {
		switch v := l.value.(type) {
		case transport.Config:
			c, n, given = v, nil, true
		default:
			if l.node != nil {
				n, given = conf.Merge(n, l.node), true
			}
		}
	}
	if !given {
		return nil, nil
	}
	var errs []error
	if n != nil {
		errs = conf.Decode(n, &c)
	} else {
		n = goNode("transport", "")
	}
	return &c, append(errs, conf.Locate(n, c.Validate())...)
}
