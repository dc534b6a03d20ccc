package conf

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FromMap makes a tree of Go values, for applications that read their
// configuration with viper, koanf and the like. name stands where errors have
// the name of a file. Keys come in alphabetical order.
//
// Values may be nil, booleans, numbers, texts, time.Duration, whatever has a
// MarshalText, and pointers, slices and maps with text keys of these. A whole
// number in a float becomes an integer, since JSON knows only floats. A text
// may stand for a number when it is decoded, since variables and flags arrive
// as text. DefaultLimits bounds depth and number; a map that holds itself is
// therefore an error.
func FromMap(name string, values map[string]any) (*Node, error) {
	m := mapper{file: name, limits: DefaultLimits()}
	n := m.node(reflect.ValueOf(values), "", 0)
	if n.Kind == Null {
		n.Kind, n.Text = Map, ""
	}
	if err := Collect(m.errs...); err != nil {
		return nil, err
	}
	return n, nil
}

type mapper struct {
	file   string
	limits Limits
	count  int
	errs   []error
}

func (m *mapper) node(v reflect.Value, path string, depth int) *Node {
	n := &Node{Text: "null", Path: path, Pos: Pos{File: m.file}, KeyPos: Pos{File: m.file}}
	m.count++
	switch {
	case m.count == m.limits.Nodes+1:
		return m.refuse(n, tooMany(m.limits))
	case m.count > m.limits.Nodes:
		return n
	case depth > m.limits.Depth:
		return m.refuse(n, fmt.Sprintf("is nested too deep; the limit is %d levels", m.limits.Depth))
	case len(path) > maxPath:
		return m.refuse(n, fmt.Sprintf("the path of this key is longer than %d bytes", maxPath))
	}
	for hops := 0; v.IsValid() && !isText(v) && (v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer); hops++ {
		if hops > m.limits.Depth {
			return m.refuse(n, "is a pointer that leads to itself")
		}
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return n
	case isText(v):
		return m.text(n, v)
	}
	switch v.Kind() {
	case reflect.Map:
		return m.entries(n, v, depth)
	case reflect.Slice, reflect.Array:
		n.Kind, n.Text = List, ""
		for i := range v.Len() {
			if n.Items = append(n.Items, m.node(v.Index(i), itemPath(path, i), depth+1)); m.count > m.limits.Nodes {
				break
			}
		}
		return n
	}
	return m.scalar(n, v)
}

func (m *mapper) scalar(n *Node, v reflect.Value) *Node {
	switch k := v.Kind(); {
	case v.Type() == reflect.TypeFor[time.Duration]():
		n.Kind, n.Text = String, time.Duration(v.Int()).String()
	case k == reflect.String:
		n.Kind, n.Text = String, v.String()
	case k == reflect.Bool:
		n.Kind, n.Text = Bool, strconv.FormatBool(v.Bool())
	case v.CanInt():
		n.Kind, n.Text = Int, strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		n.Kind, n.Text = Int, strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		n.Kind, n.Text = floatNode(v.Float(), v.Type().Bits())
	default:
		return m.refuse(n, fmt.Sprintf("a Go value of type %s can't be a setting", v.Type()))
	}
	return n
}

func floatNode(f float64, bits int) (Kind, string) {
	const exact = 1 << 53 // up to here a float64 holds every whole number
	switch {
	case math.IsNaN(f):
		return Float, ".nan"
	case math.IsInf(f, 0):
		return Float, strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "Inf", ".inf", 1)
	case f == math.Trunc(f) && math.Abs(f) <= exact:
		return Int, strconv.FormatInt(int64(f), 10)
	}
	return Float, strconv.FormatFloat(f, 'g', -1, bits)
}

func (m *mapper) text(n *Node, v reflect.Value) *Node {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return m.refuse(n, err.Error())
	}
	n.Kind, n.Text = String, string(text)
	return n
}

func isText(v reflect.Value) bool {
	if !v.IsValid() || !v.CanInterface() || v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer && v.IsNil() {
		return false
	}
	_, ok := v.Interface().(encoding.TextMarshaler)
	return ok
}

func (m *mapper) entries(n *Node, v reflect.Value, depth int) *Node {
	n.Kind, n.Text = Map, ""
	values := make(map[string]reflect.Value, v.Len())
	keys := make([]string, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key := it.Key()
		if key.Kind() == reflect.Interface {
			key = key.Elem()
		}
		if !key.IsValid() || key.Kind() != reflect.String {
			return m.refuse(n, fmt.Sprintf("a key must be a text, not %s", abbreviate(fmt.Sprint(it.Key()), quoted)))
		}
		keys = append(keys, key.String())
		values[key.String()] = it.Value()
	}
	slices.Sort(keys)
	for _, key := range keys {
		n.Entries = append(n.Entries, Entry{key, m.node(values[key], childPath(n.Path, key), depth+1)})
		if m.count > m.limits.Nodes {
			break
		}
	}
	return n
}

func (m *mapper) refuse(n *Node, message string) *Node {
	m.errs = append(m.errs, n.Errorf("%s", message))
	return n
}
