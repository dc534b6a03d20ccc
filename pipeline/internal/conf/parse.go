package conf

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Parse reads one YAML document. file is its name in errors. An empty document
// is an empty map. The error is an Errors: syntax errors are reported one at a
// time, everything else at once.
func Parse(file string, data []byte, limits Limits) (node *Node, err error) {
	if err := limits.Validate(); err != nil {
		return nil, Collect(err)
	}
	if len(data) > limits.Bytes {
		return nil, Collect(newError(Pos{File: file}, "", fmt.Sprintf("is %d bytes; the limit is %d", len(data), limits.Bytes)))
	}
	if err := checkText(file, data); err != nil {
		return nil, Collect(err)
	}
	// The scanner drops a tag that ends the text, hence the line end.
	text := string(bytes.TrimPrefix(data, []byte("\ufeff"))) + "\n"
	doc, err := parseDocument(file, text, limits)
	if err != nil {
		return nil, Collect(err)
	}
	root := Pos{File: file, Line: 1, Column: 1}
	if doc == nil || doc.Body == nil {
		return &Node{Kind: Map, Pos: root, KeyPos: root}, nil
	}
	c := converter{file: file, limits: limits}
	node = c.node(doc.Body, "", 0)
	if node.Kind == Null && len(c.errs) == 0 {
		return &Node{Kind: Map, Pos: node.Pos, KeyPos: node.Pos}, nil
	}
	if node.Kind != Map && len(c.errs) == 0 {
		c.errs = append(c.errs, node.Errorf("expected a map of keys, found %s", node.Kind))
	}
	if err := Collect(c.errs...); err != nil {
		return nil, err
	}
	return node, nil
}

// parseDocument returns the only document of a text, nil if it has none. A
// panic in the YAML library becomes an error.
func parseDocument(file, text string, limits Limits) (doc *ast.DocumentNode, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, newError(Pos{File: file}, "", "not valid YAML: the parser gave up")
		}
	}()
	tokens, refused := tokenize(file, text, limits)
	if refused != nil {
		return nil, refused
	}
	if len(tokens) == 0 {
		return nil, nil
	}
	// Duplicate keys are left to the converter, which finds all of them.
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(file, err)
	}
	if len(parsed.Docs) == 0 {
		return nil, nil
	}
	if len(parsed.Docs) > 1 {
		return nil, tokenError(file, parsed.Docs[1].Start, "holds several documents; only one is read, so remove the ---")
	}
	return parsed.Docs[0], nil
}

// syntaxError takes the message and the position of an error of the YAML
// library, and not its print, which shows the lines around it.
func syntaxError(file string, err error) *Error {
	e, ok := err.(interface {
		GetMessage() string
		GetToken() *token.Token
	})
	if !ok {
		return newError(Pos{File: file}, "", "not valid YAML")
	}
	return tokenError(file, e.GetToken(), "not valid YAML: "+abbreviate(e.GetMessage(), 200))
}

// converter makes Nodes of the library's tree.
type converter struct {
	file   string
	limits Limits
	count  int
	errs   []error

	refused bool // a limit was passed
}

// node never returns nil: what is refused becomes null, with an error.
func (c *converter) node(n ast.Node, path string, depth int) *Node {
	pos := c.pos(n)
	out := &Node{Path: path, Pos: pos}
	defer func() { out.KeyPos = out.Pos }() // entries puts the place of the key there
	if c.count++; c.count > c.limits.Nodes {
		c.refuseOnce(out, tooMany(c.limits))
		return out
	}
	if depth > c.limits.Depth {
		c.refuseOnce(out, fmt.Sprintf("is nested too deep; the limit is %d levels", c.limits.Depth))
		return out
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		out.Text = "null"
	case *ast.MappingNode:
		c.entries(out, n.Values, depth, n.IsFlowStyle)
	case *ast.MappingValueNode:
		c.entries(out, []*ast.MappingValueNode{n}, depth, n.IsFlowStyle)
	case *ast.SequenceNode:
		out.Kind = List
		for i, v := range n.Values {
			out.Items = append(out.Items, c.node(v, itemPath(path, i), depth+1))
		}
	case *ast.LiteralNode:
		out.Kind, out.Quoted, out.Text = String, true, n.Value.Value
	case ast.ScalarNode:
		c.scalar(out, n)
	default:
		c.errs = append(c.errs, out.Errorf("%s is not supported here", n.Type().YAMLName()))
	}
	return out
}

func (c *converter) scalar(out *Node, n ast.ScalarNode) {
	tk := n.GetToken()
	out.Text = tk.Value
	if isQuoted(tk) {
		out.Kind, out.Quoted = String, true
		return
	}
	out.Kind = resolve(out.Text)
	// The library takes {a: b: c} as {a: "b: c"}.
	if strings.Contains(out.Text, ": ") {
		c.errs = append(c.errs, out.Errorf("a text with a colon and a space in it must be in quotes; is a comma missing?"))
	}
}

func isQuoted(tk *token.Token) bool {
	return tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType
}

func (c *converter) entries(out *Node, values []*ast.MappingValueNode, depth int, flow bool) {
	out.Kind = Map
	first := make(map[string]Pos, len(values))
	for _, v := range values {
		tk := v.Key.GetToken()
		keyPos := tokenPos(c.file, tk)
		if len(out.Entries) == 0 && out.Pos.Line >= keyPos.Line {
			out.Pos = minPos(out.Pos, keyPos) // the library places a map at its first colon
		}
		key, message := keyText(v.Key)
		path := childPath(out.Path, key)
		if message != "" {
			c.errs = append(c.errs, newError(keyPos, path, message))
			continue
		}
		if p, ok := first[key]; ok {
			c.errs = append(c.errs, newError(keyPos, path, fmt.Sprintf("the key stands twice; the first is in line %d", p.Line)))
			continue
		}
		first[key] = keyPos
		value := c.node(v.Value, path, depth+1)
		// The library takes the next line as the value even when it is not indented.
		if !flow && value.scalar() && value.Pos.Line > keyPos.Line && value.Pos.Column <= keyPos.Column {
			c.errs = append(c.errs, value.Errorf("a value must be indented deeper than its key; is a colon missing?"))
		}
		value.KeyPos = keyPos
		out.Entries = append(out.Entries, Entry{key, value})
	}
}

// keyText returns the text of a key, and why it is refused, or "".
func keyText(n ast.MapKeyNode) (key, message string) {
	tk := n.GetToken()
	if _, ok := n.(ast.ScalarNode); !ok || tk == nil {
		return "", "a key must be a text"
	}
	switch {
	case tk.Value == "":
		return "", "the key is empty"
	case !isQuoted(tk) && resolve(tk.Value) != String:
		return tk.Value, fmt.Sprintf("a key must be a text, this is %s; put it in quotes", resolve(tk.Value))
	}
	return tk.Value, ""
}

// refuseOnce records an error that would otherwise follow for every value.
func (c *converter) refuseOnce(n *Node, message string) {
	if !c.refused {
		c.errs = append(c.errs, n.Errorf("%s", message))
	}
	c.refused = true
}

func (c *converter) pos(n ast.Node) Pos {
	if n == nil {
		return tokenPos(c.file, nil)
	}
	return tokenPos(c.file, n.GetToken())
}

func minPos(a, b Pos) Pos {
	if b.Line < a.Line || b.Line == a.Line && b.Column < a.Column {
		return b
	}
	return a
}
