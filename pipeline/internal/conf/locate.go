package conf

import (
	"errors"
	"strings"
)

// Locate gives the errors of a Validate a place in the file. node is the map
// that was decoded into what was validated, err what Validate returned;
// joined errors are taken apart. An error with a method Key() string, a key
// below node such as "max_attempts", "tiers[1].rate" or
// `keys["api.example.com"].rate`, is placed at that key, or, if the file does
// not have it, at the nearest key around it; every other error at node. The
// results unwrap to the error they place. What is an *Error already stays as
// it is. node may be nil when nothing was written in a file.
func Locate(node *Node, err error) []error {
	if node == nil {
		node = &Node{Kind: Map}
	}
	return locate(nil, node, err)
}

func locate(to []error, node *Node, err error) []error {
	if err == nil {
		return to
	}
	var key string
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		switch e := inner.(type) {
		case *Error:
			return append(to, e)
		case interface{ Unwrap() []error }:
			for _, part := range e.Unwrap() {
				to = locate(to, node, part)
			}
			return to
		case interface{ Key() string }:
			if key == "" {
				key = e.Key()
			}
		}
	}
	at, rest := nearest(node, key)
	located := newError(at.KeyPos, joinPath(at.Path, rest), strings.TrimPrefix(err.Error(), key+": "))
	located.err = err
	return append(to, located)
}

func joinPath(path, key string) string {
	if path == "" || key == "" || key[0] == '[' {
		return path + key
	}
	return path + "." + key
}

// nearest returns the node that a key below n leads to, or the last one on the
// way to it and what is left of the key.
func nearest(n *Node, key string) (*Node, string) {
	for key != "" {
		child, rest := step(n, key)
		if child == nil {
			break
		}
		n, key = child, rest
	}
	return n, key
}

// step finds the child that a path begins with, and the rest of the path.
func step(n *Node, path string) (child *Node, rest string) {
	for _, e := range n.Entries {
		for _, name := range []string{childPath("", e.Key), e.Key} {
			if rest, ok := cutStep(path, name); ok {
				return e.Value, rest
			}
		}
	}
	for i, item := range n.Items {
		if rest, ok := cutStep(path, itemPath("", i)); ok {
			return item, rest
		}
	}
	return nil, ""
}

// cutStep cuts a name from the front of a path, where a whole name ends.
func cutStep(path, name string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, name)
	switch {
	case !ok || name == "":
		return "", false
	case rest == "" || rest[0] == '[':
		return rest, true
	case rest[0] == '.':
		return rest[1:], true
	}
	return "", false
}
