package conf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

var seeds = []string{
	"", "a: 1", "a: {b: [1, 2.5, x], c: null}", "- a\n- - b\n", "a: &x 1\nb: *x", "<<: {a: 1}", "? a\n: b", "a: !!binary eA==", "%YAML 1.2\n---\na: 1",
	"---\na: 1\n...\n", "a: |\n  x\n  y\nb: >-\n  z\n", "a: |2-\n   x", "a: ${env:MAX}\nb: \"${env:KEY} $${x}\"\nc: ${env:NONE:-d}", "a: {b: ${env:X}}", "a: ${env",
	"'a': \"x\\ty\\u00e9\\x41\"\n", "a: 1 # c\n# d\nb: 2", "a:\n\tb: 1", "\ufeffa: 1\r\nb: 2\r\n", "{a, b: 1, }", "[[[[{a: [b]}]]]]", "a: b: c", "a: \"x", "{", "]", ":", "- ", "|", ">", "a: .inf", "a: 0x",
	"a: 200ms\nwait: 5\nbytes: 64MiB", "\"a\\\nb\": 1", "a: 'it''s'", "a: [\n1,\n2]\n", "a: {b: {c: {d: {e: 1}}}}", "!!set {a, b}", "a: ! x", "a: @x", "a: `x`", "a: *", "&", "a:\n  - b: c\n    d: e\n  -\n", "---", "--- |\n x", "a: --- b", "a\n: b", "\"\": x", "~: 1",
}

func seed(f *testing.F, add func(text string)) {
	files, err := filepath.Glob("testdata/golden/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		add(string(data))
	}
	for _, s := range seeds {
		add(s)
	}
}

// FuzzParse: any bytes are read or refused with errors that have a place; what
// is read can be printed and read again as the same tree.
func FuzzParse(f *testing.F) {
	seed(f, func(text string) { f.Add([]byte(text)) })
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := conf.Parse("a.yaml", data, conf.DefaultLimits())
		if err != nil {
			for _, e := range err.(conf.Errors) {
				require.IsType(t, &conf.Error{}, e)
				require.NotEqual(t, "", e.(*conf.Error).Message)
				require.True(t, strings.HasPrefix(e.Error(), "a.yaml:"))
			}
			return
		}
		require.Equal(t, conf.Map, n.Kind)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 1
		walk(n, func(n *conf.Node) {
			require.Positive(t, n.Pos.Line)
			require.Positive(t, n.Pos.Column)
			require.LessOrEqual(t, n.Pos.Line, lines)
			require.LessOrEqual(t, len(n.Path), 8*1024)
		})
		printed := conf.Encode(n)
		again, err := conf.Parse("again.yaml", printed, conf.Limits{Bytes: 1 << 24, Depth: 64, Nodes: 40_000})
		require.NoError(t, err, "%s", printed)
		require.Equal(t, show(n), show(again), "%s", printed)
	})
}

// FuzzLoad: base and overlay through the whole way never panic, and no error
// shows the value of a variable.
func FuzzLoad(f *testing.F) {
	seed(f, func(text string) { f.Add([]byte(text), []byte("a: {b: 2}\nc: null"), "MAX") })
	f.Add([]byte("pipelines: {}"), []byte("pipelines: {a: {stages: {retry: {max_attempts: ${env:K}}}}}"), "K")
	const secret = "s3cr3tvalue"
	f.Fuzz(func(t *testing.T, base, overlay []byte, name string) {
		a, errA := conf.Parse("base.yaml", base, conf.DefaultLimits())
		b, errB := conf.Parse("over.yaml", overlay, conf.DefaultLimits())
		tree, errs := conf.Expand(conf.Merge(a, b), func(n string) (string, bool) { return secret, n == name })
		errs = append(errs, errA, errB)
		for _, into := range []any{new(goldenRoot), new(settings), new(withSecrets), new(any), new(map[string]int), new(map[string]settings)} {
			errs = append(errs, conf.Decode(tree, into)...)
			errs = append(errs, conf.Locate(tree, &keyError{name, "wrong"})...)
		}
		// A document that holds the value itself may show it.
		if strings.Contains(string(base)+string(overlay)+name, "s3c") {
			return
		}
		for _, err := range errs {
			if err != nil {
				require.NotContains(t, err.Error(), secret)
			}
		}
	})
}
