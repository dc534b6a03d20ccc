package conf

import (
	"reflect"
	"slices"
)

// masked stands for a secret in what Encode prints.
const masked = "***"

// Mask returns the tree with *** for every scalar below a struct field that is
// tagged `headgate:"secret"`. v is what the tree is decoded into, or a value or
// pointer of its type.
func Mask(n *Node, v any) *Node {
	if n == nil || v == nil {
		return n
	}
	return mask(n, reflect.TypeOf(v), false)
}

func mask(n *Node, t reflect.Type, secret bool) *Node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	out := *n
	switch {
	case n.scalar():
		if secret && n.Kind != Null {
			return &Node{Kind: String, Text: masked, Path: n.Path, Pos: n.Pos, KeyPos: n.KeyPos}
		}
		return n
	case n.Kind == List:
		item := t
		if t.Kind() == reflect.Slice {
			item = t.Elem()
		}
		out.Items = make([]*Node, len(n.Items))
		for i, v := range n.Items {
			out.Items[i] = mask(v, item, secret)
		}
	case n.Kind == Map:
		out.Entries = make([]Entry, len(n.Entries))
		for i, e := range n.Entries {
			child, childSecret := below(t, e.Key, secret)
			out.Entries[i] = Entry{e.Key, mask(e.Value, child, childSecret)}
		}
	}
	return &out
}

// below returns the type that a key of a map in the tree is decoded into.
func below(t reflect.Type, key string, secret bool) (reflect.Type, bool) {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem(), secret
	case reflect.Struct:
		list := appendFields(nil, reflect.New(t).Elem(), secret)
		if i := slices.IndexFunc(list, func(f field) bool { return f.key == key }); i >= 0 {
			return list[i].value.Type(), list[i].secret
		}
	}
	return reflect.TypeFor[any](), secret
}
