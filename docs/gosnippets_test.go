package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages are what a fragment may name without importing it.
var packages = map[string]string{
	"bytes": "bytes", "context": "context", "embed": "embed", "errors": "errors", "fmt": "fmt", "fs": "io/fs", "http": "net/http",
	"io": "io", "json": "encoding/json", "log": "log", "os": "os", "slog": "log/slog", "sql": "database/sql", "strings": "strings",
	"sync": "sync", "synctest": "testing/synctest", "testing": "testing", "time": "time", "url": "net/url",

	"fx": "go.uber.org/fx", "fxtest": "go.uber.org/fx/fxtest", "store": "github.com/eko/gocache/lib/v4/store", "zap": "go.uber.org/zap",

	"cachestore":     module + "/cachestore",
	"circuitbreaker": module + "/middleware/circuitbreaker",
	"dnswarmup":      module + "/middleware/dnswarmup",
	"fallback":       module + "/fallback",
	"hedge":          module + "/middleware/hedge",
	"fxmodule":       module + "/fxmodule",
	"httpcache":      module + "/middleware/httpcache",
	"llm":            module + "/middleware/llm",
	"llmtest":        module + "/middleware/middlewaretest/llmtest",
	"loadtest":       module + "/middleware/middlewaretest/loadtest",
	"memory":         module + "/cachestore/memory",
	"middleware":     module + "/middleware",
	"middlewaretest": module + "/middleware/middlewaretest",
	"pipeline":       module + "/pipeline",
	"ratelimit":      module + "/middleware/ratelimit",
	"redis":          module + "/cachestore/redis",
	"retry":          module + "/middleware/retry",
	"semaphore":      module + "/middleware/semaphore",
	"storetest":      module + "/cachestore/storetest",
	"timeout":        module + "/middleware/timeout",
	"transport":      module + "/transport",

	// The reader's packages, in testdata/snippets.
	"app": "example.com/app", "assistant": "example.com/assistant", "audit": "example.com/audit",
	"mystage": "example.com/mystage", "mystore": "example.com/mystore", "viper": "example.com/viper",
}

// declarations are what a fragment may use without declaring it.
var declarations = map[string]string{
	"Assistant": "type Assistant struct{ llm, search *http.Client }",
	"Metrics":   "type Metrics struct{ app.Metrics }",
	"cfg":       "var cfg pipeline.Config",
	"client":    "var client *http.Client",
	"ctx":       "var ctx context.Context",
	"file":      "var file pipeline.File",
	"logger":    "var logger *zap.Logger",
	"myCache":   "var myCache mystore.Cache",
	"myStore":   "var myStore store.StoreInterface",
	"observer":  "var observer middleware.Observer",
	"p":         "var p *pipeline.Pipeline",
	"req":       "var req *http.Request",
	"resp":      "var resp *http.Response",
	"t":         "var t *testing.T",
	"values":    "var values map[string]any",
}

// TestGoSnippetsCompile has go vet check all Go snippets of the documents in one
// module of its own, offline. A snippet is a whole file, declarations, or
// statements; the last two get the imports and declarations that they use from the
// tables above. Whole files of one package make up a package, so that a page
// can build something file by file.
func TestGoSnippetsCompile(t *testing.T) {
	var all []block
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.lang == "go" {
				all = append(all, b)
			}
		}
	}
	require.Greater(t, len(all), 10)
	require.Empty(t, vet(t, all))
}

func TestBrokenGoSnippetsAreFound(t *testing.T) {
	out := vet(t, []block{
		{page: "good.md", line: 7, text: "cfg := retry.DefaultConfig()\nif _, err := retry.New(cfg); err != nil {\n\treturn err\n}\n"},
		{page: "statements.md", line: 11, text: "cfg := retry.DefaultConfig()\ncfg.MaxTries = 3\n"},
		{page: "declarations.md", line: 20, text: "\nfunc f() { p.Begin(ctx) }\n"},
		{page: "file.md", line: 30, text: "package broken\n\nimport \"fmt\"\n"},
		{page: "syntax.md", line: 40, text: "if {\n"},
		{page: "unknown.md", line: 50, text: "nobody.Knows()\n"},
	})
	for _, want := range []string{"statements.md:12:", "MaxTries", "declarations.md:21:", "Begin", "file.md:32:", "syntax.md:40:", "unknown.md:50:", "nobody"} {
		require.Contains(t, out, want)
	}
	require.NotContains(t, out, "good.md")
}

// vet returns what is wrong with snippets, each place by page and line.
func vet(t *testing.T, snippets []block) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "snippets"))))
	writeModule(t, dir)
	var problems strings.Builder
	for i, b := range snippets {
		name, source, err := compose(b)
		if err != nil {
			fmt.Fprintln(&problems, err)
			continue
		}
		file := filepath.Join(dir, name, fmt.Sprintf("snippet%d.go", i))
		if strings.Contains(source, "\npackage "+filepath.Base(name)+"_test\n") {
			file = strings.TrimSuffix(file, ".go") + "_test.go"
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		for _, m := range embedded.FindAllStringSubmatch(source, -1) {
			for embed := range strings.FieldsSeq(m[1]) {
				require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), embed), nil, 0o600))
			}
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", "-unreachable=false", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(&problems, "%v\n%s", err, out)
	}
	return problems.String()
}

// writeModule makes a module that requires the repository as it stands here, and
// all that it requires, so that nothing has to be looked up.
func writeModule(t *testing.T, dir string) {
	t.Helper()
	absolute, err := filepath.Abs(root)
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(mod), "module "+module+"\n")
	require.True(t, found)
	text := fmt.Sprintf("module example.com\n%s\nrequire %s v0.0.0\nreplace %[2]s => %s\n", rest, module, absolute)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o600))
}

var (
	packageClause = regexp.MustCompile(`(?m)^package (\w+)$`)
	qualifier     = regexp.MustCompile(`\b([a-z]\w*)\.`)
	embedded      = regexp.MustCompile(`(?m)^//go:embed (.*)$`)
)

// compose makes a Go file of a snippet, and names the folder that it belongs in.
func compose(b block) (dir, source string, err error) {
	place := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	own := fmt.Sprintf("snippets/%s_%d", strings.NewReplacer("/", "_", ".", "_").Replace(b.page), b.line)
	if m := packageClause.FindStringSubmatch(b.text); m != nil {
		// The line before the directive keeps it from being the package's comment.
		source = "// A snippet.\n\n" + place + b.text
		if name := strings.TrimSuffix(m[1], "_test"); name != "main" {
			own = name
		}
		return own, source, nil
	}
	head, tail := "", ""
	f, err := parse(place + b.text)
	if err != nil {
		var second error
		if f, second = parse("func _() {\n" + place + b.text + "\n}"); second != nil {
			return "", "", second
		}
		head, tail = statements(f)
	}
	imports, declared := map[string]bool{}, map[string]bool{}
	for _, id := range f.Unresolved {
		text := declarations[id.Name]
		if text != "" {
			declared[text] = true
		}
		for _, m := range qualifier.FindAllStringSubmatch(text+" "+id.Name+".", -1) {
			imports[m[1]] = packages[m[1]] != ""
		}
	}
	var s strings.Builder
	s.WriteString("package snippet\n\n")
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		if imports[name] {
			fmt.Fprintf(&s, "import %q\n", packages[name])
		}
	}
	for _, text := range slices.Sorted(maps.Keys(declared)) {
		fmt.Fprintln(&s, text)
	}
	return own, s.String() + head + place + b.text + tail, nil
}

func parse(text string) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), "", "package snippet\n"+text, 0)
}

// statements gives what has to stand around a fragment that is a function's
// body: the results that it returns, and a use of all that it declares.
func statements(f *ast.File) (head, tail string) {
	body := f.Decls[0].(*ast.FuncDecl).Body
	results := 0
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			results = max(results, len(r.Results))
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	for _, s := range body.List {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				if id, ok := left.(*ast.Ident); ok && s.Tok == token.DEFINE && id.Name != "_" {
					tail += "_ = " + id.Name + "\n"
				}
			}
		case *ast.DeclStmt:
			if d := s.Decl.(*ast.GenDecl); d.Tok == token.VAR {
				for _, spec := range d.Specs {
					for _, id := range spec.(*ast.ValueSpec).Names {
						tail += "_ = " + id.Name + "\n"
					}
				}
			}
		}
	}
	types := []string{"", "error", "(any, error)"}
	returns := []string{"", "return nil\n", "return nil, nil\n"}
	results = min(results, 2)
	return "func _() " + types[results] + " {\n", tail + returns[results] + "}\n"
}

func TestNamesOfSnippetsAreClear(t *testing.T) {
	for name := range declarations {
		require.NotContains(t, packages, name)
		require.Nil(t, types.Universe.Lookup(name), name)
	}
}
