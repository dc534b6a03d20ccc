package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Figures are measured, never written by hand. These tests see to it that they
// stand where the programs .ci/refresh-* put them.
func TestFiguresAreThere(t *testing.T) {
	quickstart := measured(t, "README.md", "quickstart")
	for _, want := range []string{"plain http.Client", "pool of 16 workers", "Headgate, 200 prompts", "1000/s", "ceiling:"} {
		require.Contains(t, quickstart, want, "run .ci/refresh-readme")
	}
	benchmarks := measured(t, "docs/benchmarks.md", "benchmarks")
	require.Regexp(t, regexp.MustCompile(`(?m)^linux/\w+, .+, \d+ processors, go1\.`), benchmarks, "run .ci/refresh-benchmarks")
	require.Contains(t, benchmarks, "\n| Pipeline / full ", "run .ci/refresh-benchmarks")
	warmup := measured(t, "docs/transport.md", "warmup")
	for _, want := range []string{"handshakes per 1,000 requests", "net/http    HTTP/2", "headgate, HTTP/1.1, transport:", `"first_byte":`} {
		require.Contains(t, warmup, want, "run .ci/refresh-transport")
	}
	matrix := measured(t, "docs/llm-sdks.md", "matrix")
	for _, want := range []string{"\n| The upstream | Asked for | openai-go |", "→ ok 2", "| ended without an error and without the whole reply |"} {
		require.Contains(t, matrix, want, "run the command that the page names")
	}
}

// docs/llm.md repeats a few lines of the matrix.
func TestTheLinesOfTheMatrixAreThoseOfToday(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "llm.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "\n## SDK by SDK\n")
	require.True(t, found)
	lines := regexp.MustCompile(`(?m)^\| .+ \| \d+ \| \d+ \|$`).FindAllString(section, -1)
	require.Len(t, lines, 4)
	matrix := measured(t, "docs/llm-sdks.md", "matrix")
	for _, line := range lines {
		require.Contains(t, matrix, line+"\n")
	}
	all := regexp.MustCompile(`\n\| all \| (\d+) \|`).FindStringSubmatch(matrix)
	require.NotNil(t, all)
	require.Contains(t, section, all[1]+" calls each")
}

// measured is what stands between the two comments of a page that name it.
func measured(t *testing.T, file, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	require.NoError(t, err)
	_, after, begins := strings.Cut(string(data), "<!-- "+name+":")
	block, _, ends := strings.Cut(after, "<!-- /"+name+" -->")
	require.True(t, begins && ends, "%s has lost the comments around %q", file, name)
	return block
}
