package conf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestParseReads(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an empty document as an empty map":            {"", "{}"},
		"comments alone as an empty map":               {"# nothing\n", "{}"},
		"a bare document start as an empty map":        {"---\n", "{}"},
		"null at the root as an empty map":             {"null\n", "{}"},
		"a byte order mark as nothing":                 {"\ufeffa: 1", "{a: integer(1)}"},
		"CRLF line ends":                               {"a:\r\n  b: 1\r\n  c: x\r\n", `{a: {b: integer(1), c: "x"}}`},
		"a document start and end":                     {"---\na: 1\n...\n", "{a: integer(1)}"},
		"block maps and lists":                         {"a:\n- b\n- c: d\n  e: f\n", `{a: ["b", {c: "d", e: "f"}]}`},
		"flow maps and lists":                          {"a: {b: 1, c: [x, 2]}", `{a: {b: integer(1), c: ["x", integer(2)]}}`},
		"flow maps over several lines":                 {"a: {\n  b: 1,\n  c: 2,\n}\n", "{a: {b: integer(1), c: integer(2)}}"},
		"a flow key without a value as null":           {"{a, b: 1}", "{a: null, b: integer(1)}"},
		"keys of stages with a name":                   {"timeout/total: 1", "{timeout/total: integer(1)}"},
		"keys in the order of the file":                {"z: 1\na: 2\nm: 3", "{z: integer(1), a: integer(2), m: integer(3)}"},
		"every form of null":                           {"a:\nb: ~\nc: null\nd: NULL", "{a: null, b: null, c: null, d: null}"},
		"booleans of YAML 1.2 alone":                   {"a: true\nb: False\nc: yes\nd: on", `{a: boolean(true), b: boolean(False), c: "yes", d: "on"}`},
		"integers":                                     {"a: -1\nb: +2\nc: 0x1F\nd: 0o17\ne: 0", "{a: integer(-1), b: integer(+2), c: integer(0x1F), d: integer(0o17), e: integer(0)}"},
		"ambiguous integers as text":                   {"a: 017\nb: 1_000\nc: 0b1", `{a: "017", b: "1_000", c: "0b1"}`},
		"floats":                                       {"a: 1.5\nb: 1e3\nc: .5\nd: .inf\ne: .NaN", "{a: number(1.5), b: number(1e3), c: number(.5), d: number(.inf), e: number(.NaN)}"},
		"quoted scalars as text":                       {`{a: "1", b: 'true', c: "", d: "x\ty"}`, `{a: "1", b: "true", c: "", d: "x\ty"}`},
		"literal and folded blocks as text":            {"a: |\n  1\n  2\nb: >-\n  3\n  4\n", `{a: "1\n2\n", b: "3 4"}`},
		"a text over several lines":                    {"a: x\n  y\n", `{a: "x y"}`},
		"durations, sizes, dates and hosts as text":    {"a: 200ms\nb: 64MiB\nc: 2001-01-01\nd: api.deepseek.com:443", `{a: "200ms", b: "64MiB", c: "2001-01-01", d: "api.deepseek.com:443"}`},
		"an environment variable outside of { } plain": {"a: ${env:X:-1}\nb:\n  - ${env:Y}", `{a: "${env:X:-1}", b: ["${env:Y}"]}`},
		"quoted keys that look like something else":    {`{"503": busy, "true": x, "<<": y}`, `{503: "busy", true: "x", <<: "y"}`},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, show(parse(t, c.text)))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a key that stands twice":            {"a: 1\nb: 2\na: 3", `a.yaml:3:1: a: the key stands twice; the first is in line 1`},
		"a key twice, once in quotes":        {"x: {a: 1, 'a': 2}", `a.yaml:1:11: x.a: the key stands twice; the first is in line 1`},
		"every key that stands twice":        {"a: {b: 1, b: 2}\na: 3", "a.yaml:1:11: a.b: the key stands twice; the first is in line 1\na.yaml:2:1: a: the key stands twice; the first is in line 1"},
		"an integer as a key":                {"a:\n  503: x", `a.yaml:2:3: a.503: a key must be a text, this is an integer; put it in quotes`},
		"a boolean as a key":                 {"true: x", `a.yaml:1:1: true: a key must be a text, this is a boolean; put it in quotes`},
		"null as a key":                      {"~: x", `a.yaml:1:1: ["~"]: a key must be a text, this is null; put it in quotes`},
		"an empty key":                       {`"": x`, `a.yaml:1:1: [""]: the key is empty`},
		"a map as a key":                     {"{a: 1}: 2", `a.yaml:1:7: not valid YAML: found an invalid key for this map`},
		"a complex key":                      {"? a\n: b", `a.yaml:1:1: complex keys (? key) are not supported; write key: value`},
		"an anchor":                          {"a: &x 1", `a.yaml:1:4: anchors (&name) are not supported; write the value out, and quote a text that begins with &`},
		"an alias":                           {"a: [*.example.com]", `a.yaml:1:5: aliases (*name) are not supported; write the value out, and quote a text that begins with *`},
		"a merge key":                        {"<<: {a: 1}", `a.yaml:1:1: merge keys (<<) are not supported; write the keys out`},
		"a tag":                              {"a: !!binary eA==", `a.yaml:1:4: tags (!name) are not supported; quote a text that begins with !`},
		"a tag at the end":                   {"a: !x", `a.yaml:1:4: tags (!name) are not supported; quote a text that begins with !`},
		"a value that is not indented":       {"a:\n  max\nb:\nc\nd: 1", `a.yaml:4:1: b: a value must be indented deeper than its key; is a colon missing?`},
		"a comma missing in { }":             {"a: {b: 1, c: d e: 2}", `a.yaml:1:14: a.c: a text with a colon and a space in it must be in quotes; is a comma missing?`},
		"a directive":                        {"%YAML 1.2\n---\na: 1", `a.yaml:1:1: directives (%NAME) are not supported; quote a text that begins with %`},
		"several documents":                  {"a: 1\n---\nb: 2", `a.yaml:2:1: holds several documents; only one is read, so remove the ---`},
		"a list at the root":                 {"- a", `a.yaml:1:1: expected a map of keys, found a list`},
		"a scalar at the root":               {"42", `a.yaml:1:1: expected a map of keys, found an integer`},
		"a variable without quotes in { }":   {"a: {b: ${env:X}}", `a.yaml:1:9: a ${env:NAME} inside { } or [ ] must be quoted: "${env:NAME}"`},
		"a variable without quotes in [ ]":   {"a: [x, ${env:X}]", `a.yaml:1:9: a ${env:NAME} inside { } or [ ] must be quoted: "${env:NAME}"`},
		"a tab as indent":                    {"a:\n\tb: 1", "a.yaml:2:1: not valid YAML: found a tab where a value or an indent begins; indent with spaces"},
		"a list that does not end":           {"a: [1, 2", `a.yaml:1:4: not valid YAML: sequence end token ']' not found`},
		"quotes that do not end":             {"a: 1\nb: \"x", `a.yaml:2:4: not valid YAML: could not find end character of double-quoted text`},
		"two colons in a line":               {"a: b: c", `a.yaml:1:4: not valid YAML: mapping value is not allowed in this context`},
		"bytes that are not UTF-8":           {"a: 1\nb: é\xff", `a.yaml:2:5: is not UTF-8 text`},
		"UTF-16":                             {"\xff\xfea\x00", `a.yaml:1:1: is not UTF-8 text`},
		"a NUL byte":                         {"a: x\x00y", `a.yaml:1:5: holds the control character U+0000`},
		"text after a list in the same line": {"a: [1] 2", `a.yaml:1:8: not valid YAML: value is not allowed in this context`},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := conf.Parse("a.yaml", []byte(c.text), conf.DefaultLimits())
			require.Nil(t, n)
			require.EqualError(t, err, c.want)
			require.ErrorAs(t, err, new(conf.Errors))
		})
	}
}

func TestParseErrorsDoNotShowTheLinesAround(t *testing.T) {
	_, err := conf.Parse("a.yaml", []byte("api_key: sk-123\nb: [\n"), conf.DefaultLimits())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "sk-123")
}

func TestParseGivesEveryNodeItsPlace(t *testing.T) {
	n := parse(t, `# a comment
pipelines:
  deepseek:
    order: [retry, "cache"]
    stages:
      retry:
        max_attempts: 4
      "api.deepseek.com": {é: x, y: 1}
    items:
    - name: |
        text
    -
`)
	type place struct{ keyLine, keyColumn, line, column int }
	want := map[string]place{
		"":                                {2, 1, 2, 1},
		"pipelines":                       {2, 1, 3, 3},
		"pipelines.deepseek":              {3, 3, 4, 5},
		"pipelines.deepseek.order":        {4, 5, 4, 12},
		"pipelines.deepseek.order[0]":     {4, 13, 4, 13},
		"pipelines.deepseek.order[1]":     {4, 20, 4, 20},
		"pipelines.deepseek.stages":       {5, 5, 6, 7},
		"pipelines.deepseek.stages.retry": {6, 7, 7, 9},
		"pipelines.deepseek.stages.retry.max_attempts":       {7, 9, 7, 23},
		`pipelines.deepseek.stages["api.deepseek.com"]`:      {8, 7, 8, 27},
		`pipelines.deepseek.stages["api.deepseek.com"]["é"]`: {8, 28, 8, 31},
		`pipelines.deepseek.stages["api.deepseek.com"].y`:    {8, 34, 8, 37},
		"pipelines.deepseek.items":                           {9, 5, 10, 5},
		"pipelines.deepseek.items[0]":                        {10, 7, 10, 7},
		"pipelines.deepseek.items[0].name":                   {10, 7, 10, 13},
		"pipelines.deepseek.items[1]":                        {12, 7, 12, 7},
	}
	got := map[string]place{}
	walk(n, func(n *conf.Node) {
		require.Equal(t, "a.yaml", n.Pos.File)
		require.Equal(t, "a.yaml", n.KeyPos.File)
		got[n.Path] = place{n.KeyPos.Line, n.KeyPos.Column, n.Pos.Line, n.Pos.Column}
	})
	require.Equal(t, want, got)
}

func TestParseKeepsToItsLimits(t *testing.T) {
	limits := conf.Limits{Bytes: 400, Depth: 3, Nodes: 6}
	for name, c := range map[string]struct{ text, want string }{
		"size":                   {"a: " + strings.Repeat("x", 400), "a.yaml: is 403 bytes; the limit is 400"},
		"depth of flow lists":    {"a: [[[1]]]", "a.yaml:1:6: is nested too deep; the limit is 3 levels"},
		"depth of flow maps":     {"{a: {b: {c: {d: 1}}}}", "a.yaml:1:13: is nested too deep; the limit is 3 levels"},
		"depth of block maps":    {"a:\n b:\n  c:\n   d: 1", "a.yaml:4:4: is nested too deep; the limit is 3 levels"},
		"depth of compact lists": {"a:\n- - - 1", "a.yaml:2:5: is nested too deep; the limit is 3 levels"},
		"number of values":       {"a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6", "a.yaml:6:4: f: holds too many values; the limit is 6"},
		"number of tokens":       {"a: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "a.yaml:1:26: holds too many values; the limit is 6"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := conf.Parse("a.yaml", []byte(c.text), limits)
			require.EqualError(t, err, c.want)
		})
	}
	t.Run("what is just within them", func(t *testing.T) {
		_, err := conf.Parse("a.yaml", []byte("a:\n b:\n  c: 1\nd: 1\ne: 1"), limits)
		require.NoError(t, err)
	})
	t.Run("length of a path", func(t *testing.T) {
		key := strings.Repeat("k", 400)
		text := key + ":\n  " + key + ":\n    - " + key + ": 1\n"
		_, err := conf.Parse("a.yaml", []byte(text), conf.DefaultLimits())
		require.EqualError(t, err, "a.yaml:3:7: the path of this key is longer than 1024 bytes")
		_, err = conf.Parse("a.yaml", []byte("{"+key+": {"+key+": {"+key+": 1}}}"), conf.DefaultLimits())
		require.EqualError(t, err, "a.yaml:1:808: the path of this key is longer than 1024 bytes")
	})
	t.Run("limits that are missing", func(t *testing.T) {
		_, err := conf.Parse("a.yaml", nil, conf.Limits{Depth: -1})
		require.ErrorContains(t, err, "bytes is 0; it must be positive (see DefaultLimits)")
		require.ErrorContains(t, err, "depth is -1")
		require.ErrorContains(t, err, "nodes is 0")
	})
}

// Each of these would overflow the stack, fill the memory or take minutes if
// the parser got it as it is.
func TestParseRefusesHugeDocumentsQuickly(t *testing.T) {
	for _, s := range []string{
		"[", "{", "- ", "? ", "a: ", "a:\n", "!!a ", "&a ", "*a ", "-\n", "[a,", "{a: ", "'a': ", "- - ", ": ",
		"'", "\"", "|\n", "%", ",", "---\n", "...\n", "<<: ", "{a,b},", "a: |\n  x\n", "- [", "x\n  ", "\\", "a #", "{\"", "[{", "]", "}",
	} {
		t.Run(s, func(t *testing.T) {
			start := time.Now()
			_, err := conf.Parse("a.yaml", []byte(strings.Repeat(s, (1<<18)/len(s))), conf.DefaultLimits())
			require.Error(t, err)
			require.Less(t, time.Since(start), 30*time.Second)
		})
	}
}

func TestParseReadsTheLargestDocuments(t *testing.T) {
	var keys strings.Builder
	for i := range 9_998 {
		fmt.Fprintf(&keys, "k%d:\n", i)
	}
	for name, text := range map[string]string{
		"a list":      "a:\n" + strings.Repeat("- x\n", 9_998),
		"a flow list": "a: [" + strings.Repeat("x,", 9_998) + "]",
		"nulls":       "a: [" + strings.Repeat("{b},", 4_999) + "]",
		"keys":        keys.String(),
		"comments":    strings.Repeat("# x\n", 1<<18),
		"one text":    "a: \"" + strings.Repeat("x", 1<<19) + "\"",
		"deep lists":  "a: " + strings.Repeat("[", 63) + strings.Repeat("]", 63),
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := conf.Parse("a.yaml", []byte(text), conf.DefaultLimits())
			require.NoError(t, err)
			require.Less(t, time.Since(start), 30*time.Second)
		})
	}
}

func TestNodeGetAndWithout(t *testing.T) {
	n := parse(t, "a: 1\nb: null\nc: {d: 2}")
	require.Equal(t, "1", n.Get("a").Text)
	require.Nil(t, n.Get("b"), "null counts as not written")
	require.Nil(t, n.Get("z"))
	require.Nil(t, n.Get("z").Get("y"), "nil has no keys")
	require.Nil(t, n.Get("a").Get("y"), "a scalar has no keys")
	require.Equal(t, []string{"a", "b", "c"}, n.Keys())
	require.Empty(t, n.Get("z").Keys())

	require.Equal(t, "{b: null}", show(n.Without("a", "c", "none")))
	require.Nil(t, n.Get("z").Without("a"))
	require.Equal(t, []string{"a", "b", "c"}, n.Keys(), "the tree itself stays")
}

func TestErrorsMatch(t *testing.T) {
	_, err := conf.Parse("a.yaml", []byte("a: 1\na: 2"), conf.DefaultLimits())
	var e *conf.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, conf.Error{File: "a.yaml", Line: 2, Column: 1, Path: "a", Message: "the key stands twice; the first is in line 1"}, *e)
}
