package pipeline

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// String shows the chain, outermost first, with the settings of each stage and
// the most upstream requests that one call can make. Settings that are secret
// are masked.
func (p *Pipeline) String() string {
	g := p.current.Load()
	width := len("base")
	for _, s := range g.stages {
		width = max(width, len(s.id))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: at most %d upstream requests a call\n", p.name, worstCase(g.stages, g.cfg))
	for _, s := range g.stages {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, s.id, flow(reflect.ValueOf(g.cfg.Stages[s.id])))
	}
	fmt.Fprintf(&b, "  %-*s  %T", width, "base", p.base)
	return b.String()
}

// StageReport is a snapshot of what a stage has done.
type StageReport struct {
	ID string `json:"id"`
	// Stats is the stage's own type of statistics; nil if it has none.
	Stats any `json:"stats,omitempty"`
}

// Report is a snapshot of all stages, outermost first.
func (p *Pipeline) Report() []StageReport {
	var all []StageReport
	for _, s := range p.current.Load().stages {
		r := StageReport{ID: s.id}
		if s.report != nil {
			r.Stats = s.report()
		}
		all = append(all, r)
	}
	return all
}

// flow writes settings as YAML would in one line: {max_attempts: 3, jitter: 0.5}.
func flow(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Invalid:
		return "null"
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return "null"
		}
	}
	if v.CanInterface() {
		switch x := v.Interface().(type) {
		case encoding.TextMarshaler:
			if text, err := x.MarshalText(); err == nil {
				return string(text)
			}
		case fmt.Stringer:
			return x.String()
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return flow(v.Elem())
	case reflect.Struct:
		return flowStruct(v)
	case reflect.Slice, reflect.Array:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flow(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		return fmt.Sprintf("{%d entries}", v.Len())
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(v)
}

func flowStruct(v reflect.Value) string {
	var parts []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		value := flow(v.Field(i))
		if f.Tag.Get("headgate") == "secret" && !v.Field(i).IsZero() {
			value = "***"
		}
		parts = append(parts, name+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
