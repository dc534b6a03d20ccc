package report

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableIsAligned(t *testing.T) {
	table := Table{Head: []string{"client", "p50", "note"}}
	table.Add("plain", "7 µs", "a|b")
	table.Add("Headgate", "148 ms")
	require.Equal(t, ""+
		"| client   |    p50 | note |\n"+
		"| -------- | -----: | ---: |\n"+
		"| plain    |   7 µs | a\\|b |\n"+
		"| Headgate | 148 ms |      |\n", table.String())
}

func TestReplaceLeavesTheRestOfThePage(t *testing.T) {
	page := "# Results\n\n<!-- a: go run ./a writes this block -->\nold\n<!-- /a -->\n\n<!-- b: x -->\n<!-- /b -->\nend\n"
	once, err := replace(page, "a", "\nnew\n")
	require.NoError(t, err)
	require.Equal(t, "# Results\n\n<!-- a: go run ./a writes this block -->\n\nnew\n\n<!-- /a -->\n\n<!-- b: x -->\n<!-- /b -->\nend\n", once)
	twice, err := replace(once, "a", "new")
	require.NoError(t, err)
	require.Equal(t, once, twice)
}

func TestReplaceNeedsBothLines(t *testing.T) {
	for name, page := range map[string]string{
		"neither":             "text",
		"no end":              "<!-- a: x -->\ntext",
		"the end comes first": "<!-- /a -->\n<!-- a: x -->\ntext",
	} {
		_, err := replace(page, "a", "new")
		require.ErrorContains(t, err, "there is no line", name)
	}
}

func TestReplaceInAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.md")
	require.Error(t, Replace(file, "a", "new"), "no such page")
	require.NoError(t, os.WriteFile(file, []byte("<!-- a: x -->\n<!-- /a -->\n"), 0o600))
	require.ErrorContains(t, Replace(file, "b", "new"), file)
	require.NoError(t, Replace(file, "a", "new"))
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "<!-- a: x -->\n\nnew\n\n<!-- /a -->\n", string(data))
}

func TestMachineNamesTheProcessor(t *testing.T) {
	require.Equal(t, "Some CPU @ 2 GHz", processor("vendor_id\t: X\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: other\n"))
	require.Equal(t, "unknown processor", processor(""))
	require.Contains(t, Machine(), runtime.Version())
}
