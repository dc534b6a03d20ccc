package conf_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/headgate-go/headgate/pipeline/internal/conf"
)

func TestMerge(t *testing.T) {
	for name, c := range map[string]struct{ base, overlay, want string }{
		"maps merge, key by key":             {"a: {x: 1, y: 2}", "a: {y: 3, z: 4}", "{a: {x: integer(1), y: integer(3), z: integer(4)}}"},
		"new keys come last":                 {"b: 1", "a: 2", "{b: integer(1), a: integer(2)}"},
		"lists replace":                      {"a: [1, 2]", "a: [3]", "{a: [integer(3)]}"},
		"scalars replace":                    {"a: 1", "a: x", `{a: "x"}`},
		"a map replaces a scalar":            {"a: 1", "a: {b: 2}", "{a: {b: integer(2)}}"},
		"a scalar replaces a map":            {"a: {b: 2}", "a: 1", "{a: integer(1)}"},
		"an empty list replaces":             {"a: [1]", "a: []", "{a: []}"},
		"an empty map changes nothing":       {"a: {b: 1}", "a: {}", "{a: {b: integer(1)}}"},
		"null replaces a scalar":             {"a: 1\nb: 2", "a: null", "{a: null, b: integer(2)}"},
		"null replaces a map":                {"a: {b: 1}", "a:", "{a: null}"},
		"null stays for a later preset":      {"", "a: null", "{a: null}"},
		"a value replaces null":              {"a: null", "a: {b: 1}", "{a: {b: integer(1)}}"},
		"an empty overlay changes nothing":   {"a: 1", "", "{a: integer(1)}"},
		"an empty base is the overlay alone": {"", "a: 1", "{a: integer(1)}"},
	} {
		t.Run(name, func(t *testing.T) {
			merged := conf.Merge(parse(t, c.base), parse(t, c.overlay))
			require.Equal(t, c.want, show(merged))
		})
	}
}

func TestMergeNullIsAsIfNotWritten(t *testing.T) {
	merged := conf.Merge(parse(t, "retry: {max_attempts: 4}"), parse(t, "retry: {max_attempts: null}"))
	require.Nil(t, merged.Get("retry").Get("max_attempts"))

	into := struct {
		MaxAttempts int `yaml:"max_attempts"`
	}{3}
	require.Empty(t, conf.Decode(merged.Get("retry"), &into))
	require.Equal(t, 3, into.MaxAttempts)
}

func TestMergeKeepsPlaces(t *testing.T) {
	base, err := conf.Parse("base.yaml", []byte("a:\n  x: 1\n  y: 2\n"), conf.DefaultLimits())
	require.NoError(t, err)
	over, err := conf.Parse("over.yaml", []byte("# changed\na:\n  y: 3\n"), conf.DefaultLimits())
	require.NoError(t, err)

	a := conf.Merge(base, over).Get("a")
	require.Equal(t, conf.Pos{File: "base.yaml", Line: 1, Column: 1}, a.KeyPos)
	require.Equal(t, conf.Pos{File: "base.yaml", Line: 2, Column: 6}, a.Get("x").Pos)
	require.Equal(t, conf.Pos{File: "over.yaml", Line: 3, Column: 6}, a.Get("y").Pos)
	require.Equal(t, conf.Pos{File: "over.yaml", Line: 3, Column: 3}, a.Get("y").KeyPos)
	require.Equal(t, "a.y", a.Get("y").Path)
}

func TestMergeOfNothing(t *testing.T) {
	n := parse(t, "a: 1")
	require.Same(t, n, conf.Merge(n, nil))
	require.Same(t, n, conf.Merge(nil, n))
	require.Nil(t, conf.Merge(nil, nil))
}

// tree draws a map with few keys, so that two draws meet in some of them.
func tree(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		values := []*rapid.Generator[any]{
			rapid.IntRange(0, 3).AsAny(),
			rapid.SampledFrom([]any{nil, true, "x", []any{}, []any{1, "y"}}),
		}
		if depth > 0 {
			values = append(values, tree(depth-1).AsAny())
		}
		return rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.OneOf(values...), 0, 4).Draw(t, "map")
	})
}

// shaped draws a map in which a key always has the same kind and is never null.
func shaped(depth int) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		m := map[string]any{}
		for _, key := range []string{"int", "text", "list", "map"} {
			if !rapid.Bool().Draw(t, "has "+key) {
				continue
			}
			switch key {
			case "int":
				m[key] = rapid.IntRange(0, 9).Draw(t, key)
			case "text":
				m[key] = rapid.SampledFrom([]string{"x", "y", ""}).Draw(t, key)
			case "list":
				m[key] = rapid.SliceOfN(rapid.IntRange(0, 9), 0, 2).Draw(t, key)
			case "map":
				m[key] = map[string]any{}
				if depth > 0 {
					m[key] = shaped(depth-1).Draw(t, key)
				}
			}
		}
		return m
	})
}

func draw(t *rapid.T, g *rapid.Generator[map[string]any], name string) *conf.Node {
	n, err := conf.FromMap(name, g.Draw(t, name))
	require.NoError(t, err)
	return n
}

// values returns a tree as Go values, so that the order of keys does not count.
func values(t require.TestingT, n *conf.Node) any {
	var v any
	require.Empty(t, conf.Decode(n, &v))
	return v
}

func TestMergeProperties(t *testing.T) {
	t.Run("an empty tree is the identity on both sides", rapid.MakeCheck(func(t *rapid.T) {
		n, empty := draw(t, tree(3), "n"), &conf.Node{Kind: conf.Map}
		require.Equal(t, n, conf.Merge(n, empty))
		require.Equal(t, n.Entries, conf.Merge(empty, n).Entries)
	}))
	t.Run("a tree over itself is itself", rapid.MakeCheck(func(t *rapid.T) {
		n := draw(t, tree(3), "n")
		require.Equal(t, n, conf.Merge(n, n))
	}))
	t.Run("the same overlay twice changes nothing more", rapid.MakeCheck(func(t *rapid.T) {
		base, over := draw(t, tree(3), "base"), draw(t, tree(3), "over")
		once := conf.Merge(base, over)
		require.Equal(t, values(t, once), values(t, conf.Merge(once, over)))
	}))
	t.Run("the inputs stay as they are", rapid.MakeCheck(func(t *rapid.T) {
		base, over := draw(t, tree(3), "base"), draw(t, tree(3), "over")
		before, overBefore := show(base), show(over)
		conf.Merge(base, over)
		require.Equal(t, before, show(base))
		require.Equal(t, overBefore, show(over))
	}))
	t.Run("every key of the overlay wins", rapid.MakeCheck(func(t *rapid.T) {
		base, over := draw(t, tree(3), "base"), draw(t, tree(3), "over")
		requireWins(t, over, conf.Merge(base, over))
	}))
	t.Run("it is associative where kinds agree and nothing is null", rapid.MakeCheck(func(t *rapid.T) {
		a, b, c := draw(t, shaped(3), "a"), draw(t, shaped(3), "b"), draw(t, shaped(3), "c")
		left := conf.Merge(conf.Merge(a, b), c)
		right := conf.Merge(a, conf.Merge(b, c))
		require.Equal(t, values(t, left), values(t, right))
	}))
}

// requireWins checks that all of over is in merged.
func requireWins(t *rapid.T, over, merged *conf.Node) {
	if over.Kind != conf.Map || len(over.Entries) == 0 {
		if over.Kind != conf.Map {
			require.Equal(t, show(over), show(merged))
		}
		return
	}
	require.Equal(t, conf.Map, merged.Kind)
	for _, e := range over.Entries {
		for _, m := range merged.Entries {
			if m.Key == e.Key {
				requireWins(t, e.Value, m.Value)
			}
		}
		require.Contains(t, merged.Keys(), e.Key)
	}
}
