package conf

import (
	"reflect"
	"strconv"
	"strings"
)

// any decodes into an interface that takes everything.
func (d *decoder) any(n *Node, v reflect.Value, secret bool) {
	before := len(d.errs)
	if value := d.goValue(n, secret); len(d.errs) == before {
		v.Set(reflect.ValueOf(value))
	}
}

// goValue returns a node as plain Go values, null as nil.
func (d *decoder) goValue(n *Node, secret bool) any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			m[e.Key] = d.goValue(e.Value, secret)
		}
		return m
	case List:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = d.goValue(item, secret)
		}
		return list
	case Bool:
		return strings.EqualFold(n.Text, "true")
	case Int:
		if i, err := strconv.ParseInt(n.Text, 0, strconv.IntSize); err == nil {
			return int(i)
		}
		var u uint64
		d.integer(n, reflect.ValueOf(&u).Elem(), secret)
		return u
	case Float:
		var f float64
		d.float(n, reflect.ValueOf(&f).Elem(), secret)
		return f
	case String:
		return n.Text
	}
	return nil
}
