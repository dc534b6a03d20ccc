package docs_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/headgate-go/headgate/pipeline"
)

var update = flag.Bool("update", false, "write the errors that the pages show anew")

// environment is what snippets find in it.
var environment = map[string]string{
	"DEEPSEEK_HOST":  "api.deepseek.com",
	"MAX_CONCURRENT": "48",
}

// Every YAML snippet is a configuration that loads without a warning. It may be
//
//   - a file, with pipelines at its root;
//   - a file that begins with its name, "# http.yaml";
//   - an overlay "# http.production.yaml", loaded over the last "# http.yaml" of its page;
//   - a pipeline (order, stages ...), or the settings of stages by themselves;
//   - marked "```yaml fails": then the block after it is the error, word for word.
func TestYAMLSnippetsLoad(t *testing.T) {
	for name, value := range environment {
		t.Setenv(name, value)
	}
	loaded := 0
	for _, p := range pages(t) {
		files := fstest.MapFS{}
		for i, b := range p.blocks {
			if b.lang != "yaml" {
				continue
			}
			loaded++
			t.Run(b.String(), func(t *testing.T) {
				f, err := loadSnippet(b.text, files)
				if b.mode == "fails" {
					require.Error(t, err, "the page says that it fails")
					require.Less(t, i+1, len(p.blocks), "the error does not follow")
					compareError(t, p.blocks[i+1], err.Error()+"\n")
					return
				}
				require.NoError(t, err)
				require.Empty(t, f.Warnings)
			})
		}
	}
	require.Greater(t, loaded, 10)
}

func compareError(t *testing.T, shown block, text string) {
	t.Helper()
	if *update && shown.text != text {
		replaceBlock(t, shown, text)
		return
	}
	require.Equal(t, shown.text, text, "%s: go test ./docs -update writes the error that is shown anew", shown)
}

// loadSnippet loads what a snippet shows, and adds it to files if it has a name.
func loadSnippet(text string, files fstest.MapFS) (pipeline.File, error) {
	text, err := wholeFile(text)
	if err != nil {
		return pipeline.File{}, err
	}
	name, base := fileName(text), ""
	if parts := strings.Split(name, "."); len(parts) == 3 {
		base = parts[0] + "." + parts[2]
	}
	files[name] = &fstest.MapFile{Data: []byte(text)}
	switch {
	case base == "":
		return pipeline.Load(files, name)
	case files[base] == nil:
		return pipeline.File{}, fmt.Errorf("%s is an overlay, and there is no %s before it", name, base)
	}
	return pipeline.Load(files, base, name)
}

// fileName is the name in the first line, or else that of a file that nothing is laid over.
func fileName(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	if name, ok := strings.CutPrefix(first, "# "); ok && strings.HasSuffix(name, ".yaml") && !strings.Contains(name, " ") {
		return name
	}
	return "snippet.yaml"
}

// wholeFile makes a file of a snippet that is a part of one. Lines stay lines, deeper.
func wholeFile(text string) (string, error) {
	var top yaml.MapSlice
	if err := yaml.UnmarshalWithOptions([]byte(text), &top, yaml.UseOrderedMap()); err != nil {
		return text, nil // Load tells what is wrong, with the place
	}
	keys := keysOf(top)
	if len(keys) == 0 {
		return "", errors.New("an empty snippet")
	}
	isPipeline := slices.ContainsFunc(keys, func(k string) bool {
		return slices.Contains([]string{"extends", "order", "insert", "off", "stages", "transport"}, k)
	})
	switch {
	case slices.Contains(keys, "pipelines") || fileName(text) != "snippet.yaml":
		return text, nil
	case !isPipeline:
		text, keys = "stages:\n"+indented(text), []string{"stages"}
		top = yaml.MapSlice{{Key: "stages", Value: top}}
	}
	if stages, ok := lookup(top, "stages").(yaml.MapSlice); ok && !slices.Contains(keys, "order") && !slices.Contains(keys, "extends") {
		text = "order: [" + strings.Join(keysOf(stages), ", ") + "]\n" + text
	}
	return "pipelines:\n  snippet:\n" + indented(indented(text)), nil
}

func keysOf(m yaml.MapSlice) []string {
	var keys []string
	for _, item := range m {
		keys = append(keys, fmt.Sprint(item.Key))
	}
	return keys
}

func lookup(m yaml.MapSlice, key string) any {
	for _, item := range m {
		if item.Key == key {
			return item.Value
		}
	}
	return nil
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}

// replaceBlock writes a page with another text in one of its blocks.
func replaceBlock(t *testing.T, b block, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(b.page))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(data), "\n")
	after := b.line - 1 + strings.Count(b.text, "\n")
	lines = slices.Concat(lines[:b.line-1], []string{text}, lines[after:])
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "")), 0o644))
}

func TestSnippetsInManyForms(t *testing.T) {
	for _, c := range []struct {
		about, text string
		order       []string
	}{
		{"a file", "pipelines:\n  a: {order: [retry]}\n", []string{"retry"}},
		{"a pipeline", "order: [retry, semaphore]\nstages:\n  retry: {max_attempts: 2}\n", []string{"retry", "semaphore"}},
		{"a pipeline that extends", "extends: standard\noff: [dns_warmup, cache, fallback, circuit_breaker, rate_limit, timeout]\n", []string{"retry", "semaphore"}},
		{"stages", "stages:\n  timeout/total:\n    limit: 3s\n  retry: {}\n", []string{"timeout/total", "retry"}},
		{"settings", "# why\nretry: {max_attempts: 2}\ntimeout:\n  limit: 3s\n", []string{"retry", "timeout"}},
	} {
		t.Run(c.about, func(t *testing.T) {
			f, err := loadSnippet(c.text, fstest.MapFS{})
			require.NoError(t, err)
			require.Len(t, f.Pipelines, 1)
			for _, cfg := range f.Pipelines {
				require.Equal(t, c.order, cfg.Order)
			}
		})
	}
	for _, c := range []struct{ about, text, want string }{
		{"a mistyped setting", "retry: {max_attemps: 2}\n", `did you mean "max_attempts"`},
		{"a value out of range", "stages:\n  retry:\n    max_attempts: 0\n", "max_attempts"},
		{"a stage that does not exist", "order: [retri]\n", `did you mean "retry"`},
		{"an overlay over nothing", "# http.production.yaml\npipelines: {}\n", "no http.yaml before it"},
		{"no YAML", "order: [retry\n", "not valid YAML"},
		{"nothing", "# a comment\n", "empty"},
	} {
		t.Run(c.about, func(t *testing.T) {
			_, err := loadSnippet(c.text, fstest.MapFS{})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestOverlaySnippets(t *testing.T) {
	files := fstest.MapFS{}
	_, err := loadSnippet("# http.yaml\npipelines:\n  a: {order: [retry, timeout]}\n", files)
	require.NoError(t, err)
	f, err := loadSnippet("# http.production.yaml\npipelines:\n  a: {off: [timeout]}\n", files)
	require.NoError(t, err)
	require.Equal(t, []string{"retry"}, f.Pipelines["a"].Order)
}
