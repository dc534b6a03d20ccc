package docs_test

import (
	"encoding"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/cachestore/disk"
	"github.com/headgate-go/headgate/cachestore/memory"
	"github.com/headgate-go/headgate/cachestore/redis"
	"github.com/headgate-go/headgate/cachestore/tiered"
	"github.com/headgate-go/headgate/pipeline"
	"github.com/headgate-go/headgate/transport"
)

// stageHeadings are those of every stage's page, after its name.
var stageHeadings = []string{
	"About", "Usage", "Defaults", "Events", "Errors", "Diagram", "Patterns", "Anti-patterns",
}

func TestEveryStageHasItsPage(t *testing.T) {
	types := stageTypes(t)
	var documented []string
	for _, p := range pages(t) {
		if typ, ok := strings.CutPrefix(p.name, "docs/stages/"); ok {
			typ = strings.TrimSuffix(typ, ".md")
			documented = append(documented, typ)
			t.Run(typ, func(t *testing.T) { require.Empty(t, missingHeadings(p, typ)) })
		}
	}
	slices.Sort(documented)
	require.Equal(t, types, documented, "the stage types, and those that have a page in docs/stages")
	for _, typ := range types {
		var linked bool
		for _, l := range readPage(t, filepath.Join(root, "README.md")).links {
			linked = linked || l.target == "docs/stages/"+typ+".md"
		}
		require.True(t, linked, "README.md does not link docs/stages/%s.md", typ)
	}
}

// stageTypes are the built-in types: a configuration that names another is told them.
func stageTypes(t *testing.T) []string {
	t.Helper()
	_, err := load("pipelines: {a: {order: [unknown_type]}}")
	require.Error(t, err)
	_, list, found := strings.Cut(err.Error(), "valid stages: ")
	require.True(t, found, err)
	types := strings.Split(list, ", ")
	require.Contains(t, types, "retry")
	return types
}

func load(text string) (pipeline.File, error) {
	return pipeline.Load(fstest.MapFS{"a.yaml": {Data: []byte(text)}}, "a.yaml")
}

func missingHeadings(p page, title string) []string {
	var missing []string
	if len(p.headings) == 0 || p.headings[0].level != 1 || p.headings[0].text != title {
		missing = append(missing, "# "+title)
	}
	for _, h := range stageHeadings {
		if !slices.ContainsFunc(p.headings, func(x heading) bool { return x.level == 2 && x.text == h }) {
			missing = append(missing, "## "+h)
		}
	}
	return missing
}

func TestTablesOfDefaultsAgreeWithTheCode(t *testing.T) {
	for _, typ := range stageTypes(t) {
		t.Run(typ, func(t *testing.T) {
			f, err := load("pipelines: {a: {order: [" + typ + "]}}")
			require.NoError(t, err)
			p := readPage(t, filepath.Join(root, "docs", "stages", typ+".md"))
			require.Empty(t, wrongDefaults(p, "Defaults", f.Pipelines["a"].Stages[typ]))
		})
	}
	for _, c := range []struct {
		page, section string
		defaults      any
	}{
		{"transport.md", "Defaults", transport.DefaultConfig()},
		{"cachestore.md", "Defaults of the memory store", memory.DefaultConfig()},
		{"stores.md", "disk", disk.DefaultConfig()},
		{"stores.md", "redis", redis.DefaultServerConfig()},
		{"stores.md", "tiered", tiered.DefaultConfig()},
	} {
		t.Run(c.page+", "+c.section, func(t *testing.T) {
			p := readPage(t, filepath.Join(root, "docs", c.page))
			require.Empty(t, wrongDefaults(p, c.section, c.defaults))
		})
	}
}

// setting is a field of a configuration: its key, with that of the struct
// around it, and its default. Fields of the items of a list have no default.
type setting struct {
	value reflect.Value
	item  bool
}

// settings gives those of a struct by key: max_attempts, resolver.ttl, routes[].method.
func settings(prefix string, v reflect.Value, item bool) map[string]setting {
	all := map[string]setting{}
	for i := range v.NumField() {
		key, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if key == "-" || !v.Type().Field(i).IsExported() {
			continue
		}
		if option == "inline" {
			maps.Copy(all, settings(prefix, v.Field(i), item))
			continue
		}
		key = prefix + key
		f := v.Field(i)
		typ := f.Type()
		list := typ.Kind() == reflect.Slice
		if list || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		switch {
		case typ.Kind() != reflect.Struct:
			all[key] = setting{f, item}
		case list:
			all[key] = setting{f, item}
			maps.Copy(all, settings(key+"[].", reflect.Zero(typ), true))
		case f.Kind() == reflect.Pointer:
			all[key] = setting{f, item}
			maps.Copy(all, settings(key+".", reflect.Zero(typ), true))
		default:
			maps.Copy(all, settings(key+".", f, item))
		}
	}
	return all
}

var code = regexp.MustCompile("`([^`]*)`")

// wrongDefaults compares the table in a page's section with a Config: each row
// has a key in backquotes and its default; each setting has a row. Settings of
// the items of a list may stand in the table, or be told in another way.
func wrongDefaults(p page, section string, cfg any) []string {
	all := settings("", reflect.ValueOf(cfg), false)
	var wrong []string
	seen := map[string]bool{}
	for _, r := range p.rows {
		m := code.FindStringSubmatch(r.cells[0])
		if r.section != section || m == nil || len(r.cells) < 2 {
			continue
		}
		s, known := all[m[1]]
		seen[m[1]] = true
		switch {
		case !known:
			wrong = append(wrong, fmt.Sprintf("%s:%d: there is no setting %s", p.name, r.line, m[1]))
		case !s.item && !shows(r.cells[1], s.value):
			wrong = append(wrong, fmt.Sprintf("%s:%d: the default of %s is %v, not %s", p.name, r.line, m[1], s.value, r.cells[1]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !all[key].item && !seen[key] {
			wrong = append(wrong, fmt.Sprintf("%s: the table under %q has no %s", p.name, section, key))
		}
	}
	return wrong
}

// shows tells whether a cell of a table is what a value is by default. After
// the value, or values separated by commas, there may be a remark: "0, no limit".
func shows(cell string, v reflect.Value) bool {
	text := strings.ReplaceAll(cell, "`", "")
	switch {
	case v.Kind() == reflect.Slice:
		return showsList(text, v)
	case isEmpty(v) && slices.Contains([]string{"none", "empty", "-", "", `""`, "null"}, text):
		return true
	}
	text, _, _ = strings.Cut(text, ", ")
	if size, ok := reflect.New(v.Type()).Interface().(encoding.TextUnmarshaler); ok {
		return size.UnmarshalText([]byte(text)) == nil && reflect.ValueOf(size).Elem().Equal(v)
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		return err == nil && d == x
	case bool:
		return text == strconv.FormatBool(x)
	case float64:
		f, err := strconv.ParseFloat(text, 64)
		return err == nil && f == x
	}
	return text == fmt.Sprint(v.Interface())
}

func isEmpty(v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && v.IsNil() || v.Kind() == reflect.String && v.Len() == 0 || v.Kind() == reflect.Map && v.Len() == 0
}

func showsList(text string, v reflect.Value) bool {
	if v.Len() == 0 {
		return slices.Contains([]string{"none", "empty", "[]", "-"}, text)
	}
	items := strings.Split(strings.Trim(text, "[]"), ",")
	if len(items) != v.Len() {
		return false
	}
	for i, item := range items {
		if strings.TrimSpace(item) != fmt.Sprint(v.Index(i)) {
			return false
		}
	}
	return true
}

func TestWrongPagesAreFound(t *testing.T) {
	p := parsePage("docs/stages/x.md", "# y\n\n## About\n## Usage\n## Defaults\n## Events\n## Errors\n## Diagram\n## Anti-patterns\n")
	require.Equal(t, []string{"# x", "## Patterns"}, missingHeadings(p, "x"))
}

func TestWrongDefaultsAreFound(t *testing.T) {
	type route struct {
		Method string `yaml:"method"`
	}
	type sample struct {
		Limit  time.Duration `yaml:"limit"`
		Count  int           `yaml:"count"`
		Share  float64       `yaml:"share"`
		On     bool          `yaml:"on"`
		Key    string        `yaml:"key"`
		Names  []string      `yaml:"names"`
		Routes []route       `yaml:"routes"`
		Inner  struct {
			TTL time.Duration `yaml:"ttl"`
		} `yaml:"inner"`
		Hidden int `yaml:"-"`
	}
	cfg := sample{Limit: time.Hour, Share: 0.5, Key: "authority", Names: []string{"a", "b"}}
	good := strings.Join([]string{
		"## Defaults", "| Setting | Default | Meaning |", "| --- | --- | --- |",
		"| `limit` | `1h` | |", "| `count` | 0, no limit | |", "| `share` | 0.5 | |", "| `on` | `false` | |", "| `key` | `authority` | |",
		"| `names` | `[a, b]` | |", "| `routes` | none | |", "| `routes[].method` | | |", "| `inner.ttl` | 0 | |", "",
	}, "\n")
	require.Empty(t, wrongDefaults(parsePage("x.md", good), "Defaults", cfg))
	for _, c := range []struct{ about, old, new, want string }{
		{"another duration", "`1h`", "`60s`", "x.md:4: the default of limit is 1h0m0s, not `60s`"},
		{"no number", "| 0, no limit", "| no limit", "x.md:5: the default of count is 0, not no limit"},
		{"another share", "0.5", "0.25", "x.md:6: the default of share is 0.5, not 0.25"},
		{"another boolean", "`false`", "`true`", "x.md:7: the default of on is false, not `true`"},
		{"another text", "`authority`", "`shared`", "x.md:8: the default of key is authority, not `shared`"},
		{"a shorter list", "[a, b]", "[a]", "x.md:9: the default of names is [a b], not `[a]`"},
		{"a list that is empty", "| none |", "| GET |", "x.md:10: the default of routes is [], not GET"},
		{"a setting that is gone", "routes[].method", "routes[].verb", "x.md:11: there is no setting routes[].verb"},
		{"a setting that is left out", "| `on` | `false` | |\n", "", `x.md: the table under "Defaults" has no on`},
		{"another section", "## Defaults", "## Settings", `x.md: the table under "Defaults" has no limit`},
	} {
		t.Run(c.about, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.new, 1)
			require.NotEqual(t, good, text)
			require.Contains(t, wrongDefaults(parsePage("x.md", text), "Defaults", cfg), c.want)
		})
	}
}
