package docs_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// topLevel is all that stands at the top of the repository, beside dot-files.
var topLevel = []string{
	"LICENSE", "README.md", "cachestore", "docs", "examples", "fallback", "fxmodule",
	"go.mod", "go.sum", "middleware", "pipeline", "pipeline_test.go", "transport",
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	strange, missing := compareTop(names)
	require.Empty(t, strange, "does not belong at the top level")
	require.Empty(t, missing, "is missing from the top level")
}

// compareTop leaves out what tools leave behind and .gitignore names.
func compareTop(names []string) (strange, missing []string) {
	for _, n := range names {
		left := slices.Contains([]string{"bin", "dist", "go.work", "go.work.sum"}, n) ||
			slices.Contains([]string{".test", ".prof", ".out"}, path.Ext(n)) || strings.HasPrefix(n, "coverage.")
		if !left && !strings.HasPrefix(n, ".") && !slices.Contains(topLevel, n) {
			strange = append(strange, n)
		}
	}
	for _, n := range topLevel {
		if !slices.Contains(names, n) {
			missing = append(missing, n)
		}
	}
	return strange, missing
}

func TestStrangeEntriesAreFound(t *testing.T) {
	strange, missing := compareTop(append(slices.Clone(topLevel[1:]), "utils", "cover.out", ".ci", "main.go"))
	require.Equal(t, []string{"utils", "main.go"}, strange)
	require.Equal(t, []string{"LICENSE"}, missing)
}
