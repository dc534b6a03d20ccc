package docs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/headgate-go/headgate"

// rooms are the packages of the library by what they may import of it, the
// longest path first that fits. A room may always import its own packages.
var rooms = []struct {
	path    string
	imports []string // rooms
}{
	{"middleware/internal", []string{"middleware"}},
	{"middleware/middlewaretest", []string{"middleware"}},
	{"middleware/httpcache", []string{"middleware", "middleware/internal", "cachestore"}},
	{"middleware/*", []string{"middleware", "middleware/internal"}}, // each stage a room of its own
	{"middleware", nil},
	{"fallback", []string{"middleware"}},
	{"cachestore", []string{"middleware"}},
	{"transport", nil},
	{"pipeline", []string{"middleware", "middleware/*", "middleware/httpcache", "fallback", "cachestore", "transport"}},
	{"fxmodule", []string{"pipeline", "middleware"}},
	{"examples", []string{"fxmodule", "pipeline", "middleware", "middleware/*", "middleware/httpcache", "middleware/middlewaretest", "fallback", "cachestore", "transport"}},
}

// links are the modules that a program links with the packages of a room,
// beside the standard library and this module. Whoever adds one here adds it to
// every user's binary.
var links = map[string][]string{
	"middleware":                nil,
	"middleware/internal":       nil,
	"middleware/*":              nil,
	"middleware/ratelimit":      {"golang.org/x/time"},
	"middleware/httpcache":      {"github.com/dunglas/httpsfv", "github.com/eko/gocache/lib/v4", "github.com/maypok86/otter/v2", "golang.org/x/exp"},
	"middleware/middlewaretest": {"go.uber.org/goleak"},
	"transport":                 nil,
	"fallback":                  nil,
	"cachestore":                {"github.com/eko/gocache/lib/v4", "golang.org/x/exp"},
	"cachestore/memory":         {"github.com/eko/gocache/lib/v4", "github.com/maypok86/otter/v2", "golang.org/x/exp"},
	"cachestore/redis": {
		"github.com/cespare/xxhash/v2", "github.com/eko/gocache/lib/v4", "github.com/redis/go-redis/v9", "go.uber.org/atomic",
		"golang.org/x/exp", "golang.org/x/sys",
	},
	"pipeline": {
		"github.com/dunglas/httpsfv", "github.com/eko/gocache/lib/v4", "github.com/goccy/go-yaml", "github.com/maypok86/otter/v2",
		"go.uber.org/multierr", "go.uber.org/zap", "golang.org/x/exp", "golang.org/x/time",
	},
	"fxmodule": {
		"github.com/dunglas/httpsfv", "github.com/eko/gocache/lib/v4", "github.com/goccy/go-yaml", "github.com/maypok86/otter/v2", "go.uber.org/dig", "go.uber.org/fx",
		"go.uber.org/multierr", "go.uber.org/zap", "golang.org/x/exp", "golang.org/x/sys", "golang.org/x/time",
	},
}

// fits tells whether a package is in the room: "middleware/*" is each package
// below middleware with those below it.
func fits(room, pkg string) bool {
	if parent, ok := strings.CutSuffix(room, "/*"); ok {
		return strings.HasPrefix(pkg, parent+"/")
	}
	return pkg == room || room != "middleware" && strings.HasPrefix(pkg, room+"/")
}

func roomOf(pkg string) (room string, imports []string, known bool) {
	for _, r := range rooms {
		if fits(r.path, pkg) {
			return r.path, r.imports, true
		}
	}
	return "", nil, false
}

// stageOf is the part of a path that tells one stage from another.
func stageOf(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

// badImports gives the arrows between packages, each named without the module's
// path, that the rule does not have.
func badImports(pkg string, imports []string) []string {
	room, allowed, known := roomOf(pkg)
	if !known {
		return []string{pkg + " is in no room; see docs/design.md"}
	}
	var bad []string
	for _, to := range imports {
		target, _, _ := roomOf(to)
		same := target == room && (room != "middleware/*" || stageOf(pkg) == stageOf(to))
		if !same && !slices.Contains(allowed, target) {
			bad = append(bad, pkg+" -> "+to)
		}
	}
	return bad
}

// strangeModules gives the modules that pkg links and may not, and those that it
// may and no longer does.
func strangeModules(pkg string, linked []string) (bad, gone []string) {
	allowed, ok := links[pkg]
	if !ok {
		for room := pkg; !ok && strings.Contains(room, "/"); {
			room = room[:strings.LastIndex(room, "/")]
			if allowed, ok = links[room+"/*"]; !ok {
				allowed, ok = links[room]
			}
		}
	}
	for _, m := range linked {
		if !slices.Contains(allowed, m) {
			bad = append(bad, pkg+" links "+m)
		}
	}
	if _, exact := links[pkg]; exact {
		for _, m := range allowed {
			if !slices.Contains(linked, m) {
				gone = append(gone, pkg+" no longer links "+m)
			}
		}
	}
	return bad, gone
}

func short(pkg string) (string, bool) {
	name, ours := strings.CutPrefix(pkg, module+"/")
	return name, ours
}

func TestImportRule(t *testing.T) {
	all := map[string]listed{}
	var own []string
	for _, p := range goList(t, "-deps", "./...") {
		all[p.ImportPath] = p
		if name, ours := short(p.ImportPath); ours && len(p.GoFiles) > 0 {
			own = append(own, name)
		}
	}
	require.Greater(t, len(own), 15)
	for _, name := range own {
		p := all[module+"/"+name]
		var imports []string
		for _, i := range p.Imports {
			if to, ours := short(i); ours {
				imports = append(imports, to)
			}
		}
		require.Empty(t, badImports(name, imports), "imports that docs/design.md does not allow")
		if strings.HasPrefix(name, "examples/") {
			continue
		}
		bad, gone := strangeModules(name, modulesOf(all, module+"/"+name))
		require.Empty(t, bad, "modules that its users would have to link")
		require.Empty(t, gone, "take it from the table in docs/imports_test.go")
	}
}

// modulesOf are the other modules in the closure of a package's imports.
func modulesOf(all map[string]listed, pkg string) []string {
	seen, modules := map[string]bool{}, map[string]bool{}
	var visit func(string)
	visit = func(path string) {
		p := all[path]
		if seen[path] || p.Standard {
			return
		}
		seen[path] = true
		if p.Module != nil && p.Module.Path != module {
			modules[p.Module.Path] = true
		}
		for _, i := range p.Imports {
			visit(i)
		}
	}
	visit(pkg)
	return slices.Sorted(maps.Keys(modules))
}

func TestFxIsImportedByFxmoduleAndExamplesAlone(t *testing.T) {
	for _, p := range goList(t, "./...") {
		name, _ := short(p.ImportPath)
		if name == "fxmodule" || strings.HasPrefix(name, "examples/") {
			continue
		}
		for _, i := range slices.Concat(p.Imports, p.TestImports) {
			require.False(t, strings.HasPrefix(i, "go.uber.org/fx"), "%s imports %s", name, i)
		}
	}
}

func TestForbiddenImportsAreFound(t *testing.T) {
	for _, c := range []struct {
		about, pkg, to string
		allowed        bool
	}{
		{"a stage on the contract", "middleware/retry", "middleware", true},
		{"a stage on what stages share", "middleware/semaphore", "middleware/internal/queue", true},
		{"a stage on its own internals", "middleware/retry/internal/x", "middleware/retry/internal/y", true},
		{"a stage on another", "middleware/retry", "middleware/timeout", false},
		{"a stage on the cache", "middleware/retry", "middleware/httpcache", false},
		{"a stage on pipeline", "middleware/retry", "pipeline", false},
		{"a stage on the suite", "middleware/retry", "middleware/middlewaretest", false},
		{"a stage on the transport", "middleware/dnswarmup", "transport", false},
		{"the contract on a stage", "middleware", "middleware/retry", false},
		{"the contract on an internal package", "middleware", "middleware/internal/keyed", false},
		{"the cache on the stores", "middleware/httpcache", "cachestore/memory", true},
		{"the stores on the cache", "cachestore", "middleware/httpcache", false},
		{"the fallback on the stores", "fallback", "cachestore", false},
		{"the fallback on a stage", "fallback", "middleware/retry", false},
		{"the transport on the contract", "transport", "middleware", false},
		{"pipeline on a stage", "pipeline", "middleware/retry", true},
		{"pipeline on the suite", "pipeline", "middleware/middlewaretest", false},
		{"pipeline on fxmodule", "pipeline", "fxmodule", false},
		{"fxmodule on pipeline", "fxmodule", "pipeline", true},
		{"fxmodule on a stage", "fxmodule", "middleware/retry", false},
		{"an example on the scripted upstream", "examples/quickstart", "middleware/middlewaretest", true},
		{"an example on fxmodule", "examples/fxapp", "fxmodule", true},
		{"a room that nobody knows", "utils", "middleware", false},
	} {
		t.Run(c.about, func(t *testing.T) {
			require.Equal(t, c.allowed, len(badImports(c.pkg, []string{c.to})) == 0)
		})
	}
}

func TestForbiddenModulesAreFound(t *testing.T) {
	for _, c := range []struct {
		pkg, module string
		allowed     bool
	}{
		{"middleware", "golang.org/x/time", false},
		{"middleware/retry", "golang.org/x/time", false},
		{"middleware/ratelimit", "golang.org/x/time", true},
		{"middleware/internal/keyed", "golang.org/x/sync", false},
		{"cachestore/storetest", "github.com/eko/gocache/lib/v4", true},
		{"cachestore", "github.com/redis/go-redis/v9", false},
		{"cachestore/disk", "github.com/redis/go-redis/v9", false},
		{"cachestore/tiered", "github.com/redis/go-redis/v9", false},
		{"cachestore/redis", "github.com/redis/go-redis/v9", true},
		{"pipeline", "github.com/redis/go-redis/v9", false},
		{"pipeline", "go.uber.org/fx", false},
		{"pipeline", "github.com/fsnotify/fsnotify", false},
		{"pipeline/internal/conf", "github.com/prometheus/client_golang", false},
		{"fxmodule", "go.uber.org/fx", true},
		{"fxmodule", "go.opentelemetry.io/otel", false},
	} {
		t.Run(fmt.Sprintf("%s links %s", c.pkg, c.module), func(t *testing.T) {
			bad, _ := strangeModules(c.pkg, []string{c.module})
			require.Equal(t, c.allowed, len(bad) == 0)
		})
	}
	_, gone := strangeModules("middleware/ratelimit", nil)
	require.Equal(t, []string{"middleware/ratelimit no longer links golang.org/x/time"}, gone)
}
