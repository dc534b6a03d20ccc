package conf_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestEncodePrintsTheTreeInBlockStyle(t *testing.T) {
	n := parse(t, `{a: {b: 1, c: [x, {d: 2}, [3]]}, e: [], f: {}, g: null, h: "1", i: 64MiB, j: "a b", k: "x: y", "503": busy, l: '', m: "é\n"}`)
	require.Equal(t, `a:
  b: 1
  c:
    - x
    -
      d: 2
    -
      - 3
e: []
f: {}
g: null
h: "1"
i: 64MiB
j: "a b"
k: "x: y"
"503": busy
l: ""
m: "é\n"
`, string(conf.Encode(n)))
	require.Equal(t, "{}\n", string(conf.Encode(nil)))
	require.Equal(t, "{}\n", string(conf.Encode(parse(t, ""))))
}

func TestEncodeDoesNotPrintTheEnvironment(t *testing.T) {
	n, errs := conf.Expand(parse(t, "a: ${env:KEY}\nb: \"Bearer ${env:KEY}\"\nc: ${env:NONE:-}\nd: $${x}"), vars)
	require.Empty(t, errs)
	require.Equal(t, "a: ${env:KEY}\nb: \"Bearer ${env:KEY}\"\nc: ${env:NONE:-}\nd: $${x}\n", string(conf.Encode(n)))
}

func TestMask(t *testing.T) {
	type stage struct {
		Key   string            `yaml:"key" headgate:"secret"`
		Map   map[string]string `yaml:"map" headgate:"secret"`
		List  []string          `yaml:"list" headgate:"secret"`
		Empty string            `yaml:"empty" headgate:"secret"`
		Open  string            `yaml:"open"`
	}
	type root struct {
		stage  `yaml:",inline"`
		Stages map[string]*stage `yaml:"stages"`
		All    []stage           `yaml:"all"`
	}
	n := parse(t, `
key: k1
map: {a: k2, b: {c: k3}}
list: [k4]
empty: null
open: o
unknown: u
stages: {x: {key: k5, open: o}}
all: [{key: k6}, 3]
`)
	want := `key: "***"
map:
  a: "***"
  b:
    c: "***"
list:
  - "***"
empty: null
open: o
unknown: u
stages:
  x:
    key: "***"
    open: o
all:
  -
    key: "***"
  - 3
`
	require.Equal(t, want, string(conf.Encode(conf.Mask(n, root{}))))
	require.Equal(t, want, string(conf.Encode(conf.Mask(n, &root{}))))
	require.Equal(t, "k1", n.Get("key").Text, "the tree itself stays")
	require.Same(t, n, conf.Mask(n, nil))
	require.Nil(t, conf.Mask(nil, root{}))
}

func TestEncodeAndParseAgree(t *testing.T) {
	t.Run("for any tree", rapid.MakeCheck(func(t *rapid.T) {
		n := draw(t, tree(4), "n")
		again, err := conf.Parse("again", conf.Encode(n), conf.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, show(n), show(again))
	}))
	t.Run("for any text", rapid.MakeCheck(func(t *rapid.T) {
		key := rapid.StringN(1, 50, 200).Draw(t, "key")
		n, err := conf.FromMap("n", map[string]any{key: rapid.String().Draw(t, "text")})
		require.NoError(t, err)
		again, err := conf.Parse("again", conf.Encode(n), conf.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, show(n), show(again))
	}))
}
