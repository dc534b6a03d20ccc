package conf

import (
	"slices"
	"strconv"
	"strings"
)

// Kind says what a Node is.
type Kind uint8

// The kinds. The scalar kinds follow the YAML 1.2 core schema.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
)

// String returns the kind with its article, for messages: "an integer".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Int:
		return "an integer"
	case Float:
		return "a number"
	case String:
		return "a text"
	case List:
		return "a list"
	case Map:
		return "a map"
	}
	return "unknown"
}

// Pos is a place in a file. Line and Column count from 1, columns in
// characters; Line is 0 where there is only a name (FromMap).
type Pos struct {
	File         string
	Line, Column int
}

// Node is one value of a configuration. Its fields are for reading.
type Node struct {
	Kind Kind

	// Text is the text of a scalar, without quotes, after Expand.
	Text string
	// Quoted tells that a scalar was written in quotes or as a block, so that
	// its text is text and nothing else.
	Quoted bool
	// Source is the text as it was written, when Expand changed it, else "".
	// Errors quote it instead of Text, which may hold a secret.
	Source string
	// reported tells that Expand found an error here, so that Decode leaves it.
	reported bool

	Entries []Entry // of a map, in the order of the file
	Items   []*Node // of a list

	// Path tells where the node stands in its own file: "retry.max_attempts",
	// "order[2]". It is "" for the root.
	Path string
	// Pos is where the value was written, KeyPos where its key was. Nodes
	// without a key (the root, the items of a list) have KeyPos == Pos.
	Pos, KeyPos Pos
}

// Entry is a key of a map with its value.
type Entry struct {
	Key   string
	Value *Node
}

// Get returns the value of a key of a map. It returns nil if there is none, if
// the value is null, and if n is not a map (nil included).
func (n *Node) Get(key string) *Node {
	if v := n.entry(key); v != nil && v.Kind != Null {
		return v
	}
	return nil
}

// entry is Get for values that may be null.
func (n *Node) entry(key string) *Node {
	if n == nil {
		return nil
	}
	for _, e := range n.Entries {
		if e.Key == key {
			return e.Value
		}
	}
	return nil
}

// Keys returns the keys of a map, those with a null value included, in the
// order of the file.
func (n *Node) Keys() []string {
	if n == nil {
		return nil
	}
	keys := make([]string, len(n.Entries))
	for i, e := range n.Entries {
		keys[i] = e.Key
	}
	return keys
}

// Without returns the map without some of its keys.
func (n *Node) Without(keys ...string) *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Entries = nil
	for _, e := range n.Entries {
		if !slices.Contains(keys, e.Key) {
			c.Entries = append(c.Entries, e)
		}
	}
	return &c
}

// absent tells that a node counts as not written.
func (n *Node) absent() bool { return n.Kind == Null || n.reported }

// scalar tells whether the node is neither a map nor a list.
func (n *Node) scalar() bool { return n.Kind != Map && n.Kind != List }

// childPath returns the path of a key below path. A key that would make the
// path unclear, such as one with a dot in it, is put in brackets.
func childPath(path, key string) string {
	if !plainKey(key) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func itemPath(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}

func plainKey(key string) bool {
	return key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			r == '_' || r == '-' || r == '/')
	}) < 0
}
