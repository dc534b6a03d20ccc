package conf

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/scanner"
	"github.com/goccy/go-yaml/token"
)

// checkText refuses what is not text, which the scanner would replace or let
// through.
func checkText(file string, data []byte) *Error {
	pos := Pos{File: file, Line: 1, Column: 1}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size <= 1:
			return newError(pos, "", "is not UTF-8 text")
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f:
			return newError(pos, "", fmt.Sprintf("holds the control character %#U", r))
		case r == '\n':
			pos.Line, pos.Column = pos.Line+1, 1
		default:
			pos.Column++
		}
		i += size
	}
	return nil
}

// tokenize splits a document, refuses what the package does not take, and
// bounds tokens, depth and paths. The parser must not see a document before:
// it recurses with the depth of a document, and the end of Go's stack can't be
// recovered from; and it stores a path with every node.
func tokenize(file, text string, limits Limits) (token.Tokens, *Error) {
	var s scanner.Scanner
	s.Init(text)
	var tokens token.Tokens
	for count := 0; ; {
		found, err := s.Scan()
		if err == io.EOF {
			break
		}
		for _, tk := range found {
			if tk.Type == token.CommentType {
				continue
			}
			// A value takes at most four tokens, in a flow map: comma, key, colon, value.
			if count++; count > 4*limits.Nodes {
				return nil, tokenError(file, tk, tooMany(limits))
			}
			tokens.Add(tk)
		}
	}
	n := nesting{limits: limits}
	for i, tk := range tokens {
		if message := refusal(tk); message != "" {
			return nil, tokenError(file, tk, message)
		}
		isKey := i+1 < len(tokens) && tokens[i+1].Type == token.MappingValueType
		if message := n.add(tk, isKey); message != "" {
			return nil, tokenError(file, tk, message)
		}
	}
	return tokens, nil
}

func tooMany(limits Limits) string {
	return fmt.Sprintf("holds too many values; the limit is %d", limits.Nodes)
}

// refusal says why a token is not taken, or "".
func refusal(tk *token.Token) string {
	switch tk.Type {
	case token.InvalidType:
		if strings.Contains(tk.Error, "'\t'") {
			return "not valid YAML: found a tab where a value or an indent begins; indent with spaces"
		}
		return "not valid YAML: " + tk.Error
	case token.AnchorType:
		return "anchors (&name) are not supported; write the value out, and quote a text that begins with &"
	case token.AliasType:
		return "aliases (*name) are not supported; write the value out, and quote a text that begins with *"
	case token.MergeKeyType:
		return "merge keys (<<) are not supported; write the keys out"
	case token.TagType:
		return "tags (!name) are not supported; quote a text that begins with !"
	case token.DirectiveType:
		return "directives (%NAME) are not supported; quote a text that begins with %"
	case token.MappingKeyType:
		return "complex keys (? key) are not supported; write key: value"
	case token.MappingStartType:
		if p := tk.Prev; p != nil && strings.HasSuffix(p.Value, "$") && p.Type == token.StringType {
			return `a ${env:NAME} inside { } or [ ] must be quoted: "${env:NAME}"`
		}
	}
	return ""
}

// nesting follows the depth of a document and the length of its paths from
// its tokens alone. It never counts less than the parser will see.
type nesting struct {
	limits Limits
	levels []level
	path   int
}

type level struct {
	column int // 0 for a level in braces or brackets
	list   bool
	path   int // what the level adds to a path
}

func (n *nesting) add(tk *token.Token, isKey bool) string {
	column := tk.Position.Column
	switch {
	case tk.Type == token.MappingStartType, tk.Type == token.SequenceStartType:
		n.push(level{path: len("[99999]")})
	case tk.Type == token.MappingEndType, tk.Type == token.SequenceEndType:
		n.popFlow()
	case isKey && n.inFlow():
		top := &n.levels[len(n.levels)-1]
		n.path += pathCost(tk) - top.path
		top.path = pathCost(tk)
	case isKey:
		n.popTo(column, false)
		n.push(level{column: column, path: pathCost(tk)})
	case tk.Type == token.SequenceEntryType && !n.inFlow():
		n.popTo(column, true)
		n.push(level{column: column, list: true, path: len("[99999]")})
	}
	switch {
	case len(n.levels) > n.limits.Depth:
		return fmt.Sprintf("is nested too deep; the limit is %d levels", n.limits.Depth)
	case n.path > maxPath:
		return fmt.Sprintf("the path of this key is longer than %d bytes", maxPath)
	}
	return ""
}

func pathCost(key *token.Token) int { return len(key.Value) + 1 }

func (n *nesting) inFlow() bool {
	return len(n.levels) > 0 && n.levels[len(n.levels)-1].column == 0
}

func (n *nesting) push(l level) {
	n.levels = append(n.levels, l)
	n.path += l.path
}

func (n *nesting) pop() {
	n.path -= n.levels[len(n.levels)-1].path
	n.levels = n.levels[:len(n.levels)-1]
}

func (n *nesting) popFlow() {
	if n.inFlow() {
		n.pop()
	}
}

// popTo leaves the levels that a key or a list entry at a column is outside
// of. A list may stand in the column of its key, below which it then is.
func (n *nesting) popTo(column int, list bool) {
	for len(n.levels) > 0 && !n.inFlow() {
		top := n.levels[len(n.levels)-1]
		if top.column < column || top.column == column && list && !top.list {
			return
		}
		n.pop()
	}
}

func tokenError(file string, tk *token.Token, message string) *Error {
	return newError(tokenPos(file, tk), "", message)
}

func tokenPos(file string, tk *token.Token) Pos {
	if tk == nil || tk.Position == nil {
		return Pos{File: file, Line: 1, Column: 1}
	}
	return Pos{File: file, Line: max(tk.Position.Line, 1), Column: max(tk.Position.Column, 1)}
}
