package conf

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Decode writes a tree into what the pointer into leads to. What the tree does
// not mention keeps its value, so into comes with the defaults; null keeps the
// default too. All errors are returned at once, each an *Error; a value that is
// wrong leaves the default in place, so that into can be validated even then.
//
// Keys of a struct are those in its `yaml:"key"` tags, letter by letter;
// without a tag it is the field's name in lower case, and `yaml:"-"` is no
// key. The fields of an embedded struct, or one tagged `yaml:",inline"`, count
// as the outer struct's. A key that the struct does not have is an error.
// `headgate:"secret"` keeps all that stands below a field out of errors.
//
// Types: booleans, integers, floats (finite), texts, time.Duration ("200ms"),
// every encoding.TextUnmarshaler, *Node (the part of the tree itself), any
// (nil, bool, int, uint64, float64, string, []any, map[string]any), and
// pointers, slices, maps with text keys and structs of these. A slice replaces
// the default, a map adds to it. Nothing that the defaults point to is written
// to: maps and pointers are copied first.
//
// A text field takes every scalar, letter by letter: `version: 1.10` is "1.10".
// Numbers and booleans do not take a quoted text, unless it is one ${env:NAME},
// because YAML wants that in quotes inside of { } and [ ].
func Decode(n *Node, into any) []error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return []error{&Error{Message: fmt.Sprintf("decode into %T: needs a pointer that is not nil", into)}}
	}
	if n == nil {
		return nil
	}
	var d decoder
	d.value(n, v.Elem(), false)
	return d.errs
}

type decoder struct{ errs []error }

func (d *decoder) fail(n *Node, format string, args ...any) {
	d.errs = append(d.errs, n.Errorf(format, args...))
}

// value decodes n into v, which is settable. The order of the cases matters: a
// type that reads text itself is asked before its kind.
func (d *decoder) value(n *Node, v reflect.Value, secret bool) {
	t := v.Type()
	switch {
	case n.absent():
	case t == reflect.TypeFor[*Node]():
		v.Set(reflect.ValueOf(n))
	case t == reflect.TypeFor[any]():
		d.any(n, v, secret)
	case t == reflect.TypeFor[time.Duration]():
		d.duration(n, v, secret)
	case t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		d.text(n, v, secret)
	default:
		d.kind(n, v, secret)
	}
}

func (d *decoder) kind(n *Node, v reflect.Value, secret bool) {
	switch k := v.Kind(); {
	case k == reflect.Pointer:
		d.pointer(n, v, secret)
	case k == reflect.Struct:
		d.structure(n, v, secret)
	case k == reflect.Map && v.Type().Key().Kind() == reflect.String:
		d.dictionary(n, v, secret)
	case k == reflect.Slice:
		d.slice(n, v, secret)
	case k == reflect.Bool:
		d.boolean(n, v, secret)
	case k == reflect.String:
		if d.isScalar(n, "a text") {
			v.SetString(n.Text)
		}
	case v.CanInt(), v.CanUint():
		d.integer(n, v, secret)
	case v.CanFloat():
		d.float(n, v, secret)
	default:
		d.fail(n, "can't be set here: the Go type %s is not supported", v.Type())
	}
}

func (d *decoder) pointer(n *Node, v reflect.Value, secret bool) {
	target := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		target.Elem().Set(v.Elem())
	}
	before := len(d.errs)
	d.value(n, target.Elem(), secret)
	if len(d.errs) == before || !v.IsNil() {
		v.Set(target)
	}
}

func (d *decoder) structure(n *Node, v reflect.Value, secret bool) {
	if n.Kind != Map {
		d.fail(n, "expected a map of keys, found %s", n.Kind)
		return
	}
	list, clash := fields(v, secret)
	if clash != "" {
		d.fail(n, "%s", clash)
		return
	}
	byKey := make(map[string]field, len(list))
	keys := make([]string, len(list))
	for i, f := range list {
		byKey[f.key], keys[i] = f, f.key
	}
	for _, e := range n.Entries {
		f, ok := byKey[e.Key]
		if !ok {
			d.errs = append(d.errs, e.Value.KeyErrorf("%s", UnknownKey("key", e.Key, keys)))
			continue
		}
		d.value(e.Value, f.value, f.secret)
	}
}

// Numbers of valid names that a message lists: beside a suggestion, and
// without one.
const (
	listedWithSuggestion = 8
	listedAlone          = 24
)

// UnknownKey is the message for a name that is not among the valid ones: a
// suggestion, if one is near, and the valid names, if they are few. what is
// the kind of name, such as "key" or "stage".
func UnknownKey(what, name string, valid []string) string {
	message, limit := "unknown "+what, listedAlone
	if s := Suggest(name, valid); s != "" {
		message += fmt.Sprintf("; did you mean %q?", s)
		limit = listedWithSuggestion
	}
	if len(valid) == 0 || len(valid) > limit {
		return message
	}
	if limit == listedAlone {
		message += ";"
	}
	return message + fmt.Sprintf(" valid %ss: %s", what, strings.Join(slices.Sorted(slices.Values(valid)), ", "))
}

func (d *decoder) dictionary(n *Node, v reflect.Value, secret bool) {
	if n.Kind != Map {
		d.fail(n, "expected a map of keys, found %s", n.Kind)
		return
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len()+len(n.Entries))
	for it := v.MapRange(); it.Next(); {
		out.SetMapIndex(it.Key(), it.Value())
	}
	for _, e := range n.Entries {
		key := reflect.ValueOf(e.Key).Convert(v.Type().Key())
		value := reflect.New(v.Type().Elem()).Elem()
		if old := v.MapIndex(key); old.IsValid() {
			value.Set(old)
		}
		before := len(d.errs)
		d.value(e.Value, value, secret)
		if keep := e.Value.absent() && v.Type().Elem() != reflect.TypeFor[any](); !keep && len(d.errs) == before {
			out.SetMapIndex(key, value)
		}
	}
	v.Set(out)
}

func (d *decoder) slice(n *Node, v reflect.Value, secret bool) {
	if n.Kind != List {
		d.fail(n, "expected a list, found %s; write [a, b], or a line with - for each item", n.Kind)
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	before := len(d.errs)
	for i, item := range n.Items {
		if item.Kind == Null && v.Type().Elem() != reflect.TypeFor[any]() {
			d.fail(item, "an item of this list can't be null")
			continue
		}
		d.value(item, out.Index(i), secret)
	}
	if len(d.errs) == before {
		v.Set(out)
	}
}
