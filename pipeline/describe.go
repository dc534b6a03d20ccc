package pipeline

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// String shows the chain, outermost first, with those settings of each stage
// that differ from its defaults, and the most upstream requests that one call
// can make. Settings that are secret are masked, long texts cut short.
func (p *Pipeline) String() string {
	g := p.current.Load()
	width := len("base")
	for _, s := range g.stages {
		width = max(width, len(s.id))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: at most %s a call\n", p.name, count(worstCase(g.stages, g.cfg), "upstream request", "upstream requests"))
	for _, s := range g.stages {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, s.id, p.settings(g, s))
	}
	fmt.Fprintf(&b, "  %-*s  %T", width, "base", p.base)
	return b.String()
}

// settings shows what of a stage's settings is not the default.
func (p *Pipeline) settings(g *generation, s *instance) string {
	v, defaults := reflect.ValueOf(g.cfg.Stages[s.id]), reflect.ValueOf(p.registry.factories[s.typ].defaults())
	if v.Kind() != reflect.Struct {
		return flow(v)
	}
	return flowStruct(v, defaults)
}

// StageReport is a snapshot of what a stage has done.
type StageReport struct {
	ID string `json:"id"`
	// Stats is the stage's own type of statistics; nil if it has none.
	Stats any `json:"stats,omitempty"`
}

// Report is a snapshot of all stages, outermost first, of the stores that the
// configuration describes, as "stores.disk", if they have a Report() any, and of the base, as
// "transport", if it is a transport.Transport.
func (p *Pipeline) Report() []StageReport {
	var all []StageReport
	g := p.current.Load()
	for _, s := range g.stages {
		r := StageReport{ID: s.id}
		if s.report != nil {
			r.Stats = s.report()
		}
		all = append(all, r)
	}
	for _, s := range g.stores {
		if in, ok := s.store.(interface{ Report() any }); ok {
			all = append(all, StageReport{ID: "stores." + s.id, Stats: in.Report()})
		}
	}
	return append(all, p.baseReport()...)
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
		case time.Duration:
			return duration(x)
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
		return flowStruct(v, reflect.Zero(v.Type()))
	case reflect.Slice, reflect.Array:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flow(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		return "{" + count(v.Len(), "entry", "entries") + "}"
	case reflect.String:
		return quote(v.String())
	}
	return fmt.Sprint(v)
}

// flowStruct writes the fields that differ from those of base.
func flowStruct(v, base reflect.Value) string {
	var parts []string
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() || reflect.DeepEqual(v.Field(i).Interface(), base.Field(i).Interface()) {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		value := flow(v.Field(i))
		if f.Tag.Get("headgate") == "secret" {
			value = "***"
		}
		parts = append(parts, name+": "+value)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// quote shows a text, the beginning of it if it is long.
func quote(text string) string {
	const most = 40
	if r := []rune(text); len(r) > most {
		return strconv.Quote(string(r[:most])) + "..."
	}
	return strconv.Quote(text)
}

// duration writes 10m and not 10m0s, as a configuration does.
func duration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}
