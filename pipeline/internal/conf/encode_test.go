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
